"""A typed client of the HTTP API, for programs: `from omc.client import Client`.

It needs httpx and pydantic, and nothing else of the platform.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omc.client.client import Client as Client


def __getattr__(name: str) -> Any:
    # The command line speaks through the transport alone, and does not wait for two hundred models.
    if name == "Client":
        from omc.client.client import Client

        return Client
    raise AttributeError(name)
