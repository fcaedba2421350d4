"""Reading a delivery: its files, row by row, into items and rejected rows. Nothing is judged here but readability."""
