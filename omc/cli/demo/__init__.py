"""The whole pipeline in one command: from prices to a trade on the floor, and a report that proves it."""
