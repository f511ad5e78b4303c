"""What stands between sockets and Ray Serve's proxy.

The proxy hands a WebSocket's messages on as they come, and keeps what its client does not take. It reads frames of
16 MB, and a client of ours never has more to say than a token. Ray calls `guards` in each proxy before it listens,
because `CALLBACK` is in its environment.
"""

from functools import partial
from typing import Any

from starlette.middleware import Middleware

from serve_apps.gateway.streams.outbox import BoundedSockets

CALLBACK = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "cluster.proxy_door.guards"}
SOCKETS: dict[str, Any] = {
    "ws_max_size": 65_536,
    "ws_ping_interval": 30.0,
    "ws_ping_timeout": 30.0,
    # What is compressed for each client costs each client memory and time.
    "ws_per_message_deflate": False,
}


def guards() -> list[Middleware]:
    """The proxy's own middleware, first the outermost."""
    keep_frames_small()
    return [Middleware(BoundedSockets)]


def keep_frames_small() -> None:
    """Have every server that Serve starts in this process treat WebSockets as `SOCKETS` says."""
    from ray.serve._private import http_util

    module: Any = http_util
    server = module.uvicorn
    if not isinstance(server.Config, partial):
        server.Config = partial(server.Config, **SOCKETS)
