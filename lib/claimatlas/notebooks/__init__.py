"""Helpers of the notebooks: session and parameters, published cells as rows, names, figures."""
