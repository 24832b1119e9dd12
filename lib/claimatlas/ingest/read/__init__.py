"""Read an input table as it is: every row with the file that it came from."""
