"""A replica's own port on the loopback.

Ray Serve gives every replica a gRPC port for calls between deployments and opens it on all interfaces, without a
password and without a setting: whoever reaches it runs code. Called in a replica before it starts that server.
"""

from typing import Any

from ray.serve._private import replica

from cluster.ports import LOOPBACK

_original = replica.add_port_to_grpc_server


def keep_replicas_inside() -> None:
    replica.add_port_to_grpc_server = _on_loopback


def _on_loopback(server: Any, address: str) -> int:
    return int(_original(server, address.replace("[::]", LOOPBACK)))
