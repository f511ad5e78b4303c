"""What the floor is asked to do is on record."""

from serve_apps.floor.app import PREFIX, build
from tests.serve_apps.auditing import all_on_record, changing


async def test_every_route_that_may_change_something_leaves_a_record(ports, calling):
    app = build(ports)
    await all_on_record(app, calling, ports.audit, PREFIX)
    assert {"deployments.deploy", "deployments.activate"} <= set(changing(app).values())
