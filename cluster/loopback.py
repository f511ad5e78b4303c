"""A replica's own port on the loopback.

Ray Serve gives every replica a gRPC port for calls between deployments and opens it on all interfaces, without a
setting. It asks for Ray's token, and whoever has that runs code. Called in a replica before it starts that server.
"""

from typing import Any

from cluster.ports import LOOPBACK


def keep_replicas_inside() -> None:
    """Have every replica that starts in this process listen on the loopback only."""
    from ray.serve._private import replica

    module: Any = replica
    everywhere = module.add_port_to_grpc_server
    if everywhere.__name__ != on_loopback.__name__:
        module.add_port_to_grpc_server = on_loopback(everywhere)


def on_loopback(everywhere: Any) -> Any:
    """`everywhere(server, address)` with the address moved to the loopback."""

    def on_loopback(server: Any, address: str) -> Any:
        return everywhere(server, address.replace("[::]", LOOPBACK))

    return on_loopback
