"""Pieces of code, and what came of them in a process of their own."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from omc.feature.frame import Frame

ROOT = Path(__file__).parents[4]


def cases() -> ModuleType:
    """The runner of sandbox cases; its folder is no package."""
    found = importlib.util.spec_from_file_location("cases_sandbox", ROOT / "tests" / "cases" / "sandbox.py")
    runner = importlib.util.module_from_spec(found)
    sys.modules[found.name] = runner
    found.loader.exec_module(runner)
    return runner


@pytest.fixture(scope="session")
def runner() -> ModuleType:
    return cases()


@pytest.fixture(scope="session")
def prices() -> Frame:
    """Two coins, with a gap."""
    steps = np.random.default_rng(7).normal(0.0, 0.01, (700, 2))
    last = np.round(100.0 * np.exp(steps.cumsum(axis=0)), 2)
    last[300:305, 1] = np.nan
    times = np.datetime64("2025-01-01", "us") + np.arange(len(last)) * np.timedelta64(300, "s")
    return Frame(times, ("ONE", "TWO"), last - 0.01, last + 0.01, last)
