"""The rules of the specification, written for other engines."""
