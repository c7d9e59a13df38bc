"""From files to a table of text and places."""
