"""Pauses of the collection of garbage, which every client hears.

A full collection walks over everything that the process has ever imported and over every client: a quarter of a second
on a busy machine. What was imported never becomes garbage; and what clients leave behind goes without it, except for
cycles, which can wait.
"""

import gc

# New objects before a look at the newest; looks at those before one at the older; and those before a full one.
_THRESHOLDS = (5_000, 20, 100)


def shorten() -> None:
    """Leave out of every later collection what is there now, and make full ones rare. Of a whole process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
