"""Rewrites of networks that compute the same in less time, for ONNX Runtime.

It keeps what a convolution makes in blocks of 8 or 16 channels, as the processor's registers hold, and what comes in between may read
that as it is, or may need all of it brought back into rows first. These rewrites leave less to be brought back.
"""
