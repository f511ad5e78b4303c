"""A collection of garbage leaves out what was there when the first client came."""

import asyncio
import gc

from serve_apps.gateway.streams import pauses
from serve_apps.gateway.streams.app import Streams


def test_what_is_there_is_left_out_and_full_collections_are_rare():
    before = gc.get_threshold()
    try:
        pauses.shorten()
        assert gc.get_freeze_count() > 10_000
        assert all(now >= then for now, then in zip(gc.get_threshold(), before, strict=True))
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


async def test_it_is_done_once_when_the_first_client_comes(ports):
    times = []
    streams = Streams(lambda *_: None, ports, lambda: times.append(1))
    streams._start()
    streams._start()
    assert times == [1]
    for task in streams._running:
        task.cancel()
    await asyncio.gather(*streams._running, return_exceptions=True)
