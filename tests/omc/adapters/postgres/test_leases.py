"""A lease's epoch rises with each taking."""

import asyncio
from uuid import uuid4

from tests.omc.adapters.postgres.floor import Floor


async def test_taking_a_lease_takes_it_from_whoever_had_it(floor: Floor):
    name = f"trader:{uuid4()}"
    assert await floor.leases.current(name) == 0
    first = await floor.leases.take(name, "one")
    second = await floor.leases.take(name, "two")
    assert (first.epoch, second.epoch) == (1, 2)
    assert await floor.leases.current(name) == 2


async def test_of_many_that_take_at_once_each_gets_an_epoch_of_its_own(floor: Floor):
    name = f"risk:{uuid4()}"
    taken = await asyncio.gather(*(floor.leases.take(name, str(n)) for n in range(8)))
    assert sorted(lease.epoch for lease in taken) == list(range(1, 9))
