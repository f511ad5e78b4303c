"""Deployments, orders, trades and the emergency stop over HTTP."""
