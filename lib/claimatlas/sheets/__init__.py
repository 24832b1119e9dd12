"""Methodology sheets: what each declared indicator is, told from the declaration that is computed."""
