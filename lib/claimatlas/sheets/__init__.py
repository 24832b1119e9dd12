"""Methodology sheets: a description of each indicator, written from the declaration that is computed."""
