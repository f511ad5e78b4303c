"""What the lab is asked to do is on record."""

from serve_apps.lab.app import PREFIX, build
from tests.serve_apps.auditing import all_on_record


async def test_every_route_that_may_change_something_leaves_a_record(ports, calling):
    await all_on_record(build(ports), calling, ports.audit, PREFIX)
