"""The HTTP service: uploads in, documents out, and everything that keeps one caller from harming another."""
