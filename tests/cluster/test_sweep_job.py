"""A driver that is told to stop leaves: at once, or after a moment in the middle of a sweep."""

import asyncio
import os
import signal

from cluster.sweep_job import SweepDriver


class Staying(SweepDriver):
    """One that only says that it would leave."""

    def __init__(self):
        super().__init__(None, "mine", None)
        self.codes, self.left = [], asyncio.Event()

    def leave(self, code):
        self.codes.append(code)
        self.left.set()


async def test_a_driver_that_stands_by_leaves_at_once():
    driver = Staying()
    driver.leave_soon(143)
    assert driver.codes == [143]


async def test_a_driver_in_the_middle_of_a_sweep_looks_once_more_whether_it_was_cancelled():
    driver = Staying()
    driver._busy = asyncio.get_running_loop()
    before = signal.signal(signal.SIGTERM, lambda number, _: driver.leave_soon(128 + number))
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        assert driver.codes == []
        await driver.left.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert driver.codes == [143]
