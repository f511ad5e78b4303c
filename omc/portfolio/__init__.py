"""What is held, and what it earned."""
