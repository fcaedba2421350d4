"""Reading a delivery: its files, row by row, into items and rejected rows."""
