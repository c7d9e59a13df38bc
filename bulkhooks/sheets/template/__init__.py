"""The input workbook to fill in."""
