"""Invented published cells to try the atlas with."""
