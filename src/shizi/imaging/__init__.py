"""From bytes to page pixels: decoding under limits, and PDF pages from a process of their own."""
