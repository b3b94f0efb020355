"""The command line: one file per command; importing this package loads nothing."""
