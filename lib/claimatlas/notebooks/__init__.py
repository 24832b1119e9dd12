"""What the notebooks need that is no rule: their surroundings, published cells as rows, names, figures."""
