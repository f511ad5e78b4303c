"""What was known, and when we knew it."""
