"""What may be trusted with money."""
