"""The sandbox exchange: a tape and a paper venue behind CoinSpot's wire, for CoinSpot has no sandbox of its own.

It is the venue, so what its process knows is the truth: accounts, orders and keys live and die with it.
"""
