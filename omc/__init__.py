"""Oh My Coins: from a trading idea in the lab to orders on the floor."""

__version__ = "0.1.0"
