"""What would have happened."""
