"""Searchable PDF: pictures or the pages of a PDF with invisible text over them."""
