"""Compare a place's figure with the country's, and with its own over five years."""
