"""Turn raw rows into rows of silver: find the columns, parse the values, give each row its reasons to reject it."""
