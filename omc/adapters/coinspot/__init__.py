"""CoinSpot API v2: the client, and an exchange that serves the same wire."""
