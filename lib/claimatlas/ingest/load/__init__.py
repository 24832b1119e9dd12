"""Load one validated table: write it, count it, account for every row of its files, and judge the counts."""
