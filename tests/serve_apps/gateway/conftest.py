"""The gateway over twins."""

from collections.abc import Callable

import pytest

from omc.access.closing import MemoryClosing
from omc.access.password import MemoryPasswordHasher
from omc.access.token import MemoryRefreshStore
from omc.access.user import MemoryUserStore
from omc.adapters.arrow import ArrowWriter
from serve_apps.gateway.app import build
from serve_apps.gateway.ports import GatewayPorts


@pytest.fixture
def ports(signer, archive, hot, clock) -> GatewayPorts:
    users = MemoryUserStore()
    refresh = MemoryRefreshStore(users=users)
    return GatewayPorts(
        users=users,
        refresh=refresh,
        revocations=users,
        closing=MemoryClosing(users, refresh),
        signer=signer,
        hasher=MemoryPasswordHasher(),
        archive=archive,
        hot=hot,
        clock=clock,
        arrow=ArrowWriter,
        probes={"database": archive.coverage, "collector:exchange": hot.status},
    )


@pytest.fixture
def app(ports: GatewayPorts):
    return build(ports)


@pytest.fixture
def stranger(app, calling: Callable):
    """Nobody yet."""
    return calling(app, signed_in=False)


@pytest.fixture
def caller(app, calling: Callable):
    """Somebody with a token, whose account may not exist."""
    return calling(app)
