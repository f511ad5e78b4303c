"""What is traded, and at what price."""
