"""A lease's epoch rises with each taking."""

import asyncio
from uuid import uuid4

from tests.omc.adapters.postgres.house import House


async def test_taking_a_lease_takes_it_from_whoever_had_it(house: House):
    name = f"trader:{uuid4()}"
    assert await house.leases.current(name) == 0
    first = await house.leases.take(name, "one")
    second = await house.leases.take(name, "two")
    assert (first.epoch, second.epoch) == (1, 2)
    assert await house.leases.current(name) == 2


async def test_of_many_that_take_at_once_each_gets_an_epoch_of_its_own(house: House):
    name = f"risk:{uuid4()}"
    taken = await asyncio.gather(*(house.leases.take(name, str(n)) for n in range(8)))
    assert sorted(lease.epoch for lease in taken) == list(range(1, 9))
