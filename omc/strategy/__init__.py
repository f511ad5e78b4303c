"""Algorithms: features in, target weights out."""
