"""The omc command."""
