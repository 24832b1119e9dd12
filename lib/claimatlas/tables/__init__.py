"""The Delta tables: schemas, locations, reading and writing, releases."""
