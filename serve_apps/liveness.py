"""How soon it is seen that a replica is dead."""

ASKED_EVERY_S = 1.0
"""Serve hears of a replica's death only when it next asks whether the replica is well, and replaces it then: whoever
comes waits for as long as this, and for the seconds that its successor takes to start."""
