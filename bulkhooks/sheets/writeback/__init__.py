"""Result sheets in a copy of the input workbook."""
