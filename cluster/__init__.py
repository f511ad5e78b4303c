"""Wiring and boot: the one place that knows everything."""
