"""Who is insured in a year, how old they are, and where they live."""
