"""Accounts, prices and health over HTTP."""
