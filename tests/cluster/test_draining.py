"""A replica's end is told before it waits for its connections."""

from types import SimpleNamespace

from cluster.draining import before_draining


async def test_what_is_to_be_told_comes_before_serves_own_waiting():
    from ray.serve._private import replica

    stop, order = replica.Replica.perform_graceful_shutdown, []

    async def waits(self) -> None:
        order.append("waited")

    try:
        replica.Replica.perform_graceful_shutdown = waits
        before_draining(lambda: order.append("told"))
        await replica.Replica.perform_graceful_shutdown(SimpleNamespace())
    finally:
        replica.Replica.perform_graceful_shutdown = stop
    assert order == ["told", "waited"]
