"""What our own house refuses."""
