"""All that knows spreadsheets: reading, normalising and expanding them, and writing what became of them."""
