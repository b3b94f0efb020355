"""The engines behind a server, processes of its own or nodes elsewhere: which one reads a page, and which page is to blame."""
