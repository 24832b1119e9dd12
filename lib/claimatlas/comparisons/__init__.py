"""What a place's figure says beside others: against the country's, and over five years."""
