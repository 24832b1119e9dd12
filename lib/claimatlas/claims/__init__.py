"""Claim lines: which of them are a service, and the netting of corrections."""
