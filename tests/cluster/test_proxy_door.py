"""What Serve's proxy is given to stand next to its sockets."""

from functools import partial

from ray._common.utils import import_attr

from cluster.proxy_door import CALLBACK, SOCKETS, guards, keep_frames_small
from serve_apps.gateway.streams.outbox import BoundedSockets


def test_serve_finds_the_guards_by_their_name():
    (path,) = CALLBACK.values()
    assert import_attr(path) is guards


def test_every_server_of_the_process_keeps_frames_small():
    from ray.serve._private import http_util

    original = http_util.uvicorn.Config
    try:
        (middleware,) = guards()
        keep_frames_small()
        assert middleware.cls is BoundedSockets
        config = http_util.uvicorn.Config(lambda: None)
        assert isinstance(http_util.uvicorn.Config, partial)
        assert {name: getattr(config, name) for name in SOCKETS} == SOCKETS
        # Pings are to come every half minute at least.
        assert config.ws_ping_interval <= 30
    finally:
        http_util.uvicorn.Config = original
