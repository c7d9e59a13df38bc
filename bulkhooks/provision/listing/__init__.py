"""What the server has: whole lists, page by page, and single records that a list lacks."""
