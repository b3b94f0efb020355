"""What an image file says about itself, read by our own few lines per format before any decoder sees it.

Each parser also hands over a *minimal stream*: the same file with nothing in it but what its pixels need. Comments,
profiles, thumbnails and metadata never reach the decoder, so neither do the traps in them.
"""
