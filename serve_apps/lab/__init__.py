"""Algorithms, backtests, sweeps and promotion over HTTP."""
