"""Where an app of ours is put, besides behind Serve's own proxy: said by whoever deploys it."""

from collections.abc import Callable

from fastapi import FastAPI

Put = Callable[[FastAPI, str], None]
"""Puts an app, in the replica that built it, where requests for paths below a prefix come in."""


def nowhere(_: FastAPI, __: str) -> None:
    """Serve's proxy is the only way in."""
