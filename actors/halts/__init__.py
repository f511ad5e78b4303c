"""Halts: known in memory, files and rows, carried out at the venue, and let go of."""
