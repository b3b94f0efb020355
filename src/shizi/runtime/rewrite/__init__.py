"""Rewrites of networks that compute the same in less time: some for any runtime, others for one."""
