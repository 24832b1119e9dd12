"""Raw files to silver: map names, parse, validate; every row is accepted or rejected with reasons."""
