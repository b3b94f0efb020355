"""From pages to documents: detection, orientation, reading, layout."""
