"""Incremental update: the beneficiaries whom a batch affects are recomputed, the rest stays as published."""
