"""What limits are measured by: exposures, standings, losses, and what was sent lately."""
