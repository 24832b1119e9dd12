"""Merge a further batch into silver: match it with the rows that are there, and apply what changes."""
