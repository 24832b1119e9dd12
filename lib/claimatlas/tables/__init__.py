"""The Delta tables: what their columns mean, and where they live."""
