"""ONNX files, read, changed and written as bytes, without the library that would have to be loaded for it."""
