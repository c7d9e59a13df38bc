"""The page: what a person sees who has the spreadsheet and no terminal."""
