"""What an algorithm sees."""
