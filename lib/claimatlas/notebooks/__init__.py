"""Helpers of the notebooks: their surroundings, published cells as rows, names, figures."""
