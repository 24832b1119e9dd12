"""Compare a place's figure with the country's, and with the place's own figures over five years."""
