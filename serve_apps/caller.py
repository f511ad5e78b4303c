"""Who calls, by address: the peer itself, or whoever the proxies that we trust say that they speak for.

A client can write into X-Forwarded-For whatever it likes, and each proxy adds whom it heard it from at the right. So it
is read from the right, and only as far as it was written by proxies that are ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_FORWARDED = b"x-forwarded-for"
_MOST_HOPS = 32
# Of what is said: what stands further left is looked at by nobody, and must not fill the memory of who called.
_MOST_SAID = 2_048


@dataclass(frozen=True, slots=True)
class Proxies:
    """What stands between clients and us. Trusting nobody is right where nothing does."""

    trusted: tuple[Network, ...] = ()
    """Where proxies are whose word is believed."""
    own_front: bool = False
    """A front of the platform's own on this machine adds each client's address: one hop, that is always there."""


@dataclass(frozen=True, slots=True)
class Caller:
    address: str
    """As text; "unknown" of a peer that has none."""
    network: str
    """What counts as one caller: an address of IPv4, or the 64 bits of IPv6 that one customer is given whole."""
    is_local: bool
    """On this machine, with no proxy before it that speaks for somebody else."""


def caller(scope: Scope, proxies: Proxies) -> Caller:
    """Who sent the request of `scope`."""
    peer = scope.get("client")
    said = b",".join(value for name, value in scope["headers"] if name == _FORWARDED)
    return _caller(peer[0] if peer else "", _rightmost(said), proxies)


@lru_cache(maxsize=4096)
def _caller(peer: str, said: bytes, proxies: Proxies) -> Caller:
    hops = [word.strip() for word in said.decode("latin-1").split(",")[-_MOST_HOPS:] if word.strip()]
    found = _address(peer)
    if found is None:
        return Caller("unknown", "unknown", is_local=False)
    if proxies.own_front and found.is_loopback and hops:
        found = _address(hops.pop()) or found
    # A proxy on this machine that nobody told us of must not lend its address to the whole world, and whom a proxy
    # speaks for is not here, whatever address was said to be theirs.
    is_local = found.is_loopback and not hops
    while hops and _is_in(found, proxies.trusted):
        passed_on = _address(hops.pop())
        if passed_on is None:
            break  # what a proxy of ours cannot tell is put down to the proxy
        found = passed_on
    return Caller(str(found), _network(found), is_local)


def _rightmost(said: bytes) -> bytes:
    """As much as anybody looks at, and no part of a word."""
    return said if len(said) <= _MOST_SAID else said[-_MOST_SAID:].partition(b",")[2]


def _address(text: str) -> Address | None:
    """Without a port, a zone or brackets; None when it is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _network(address: Address) -> str:
    return str(address) if isinstance(address, IPv4Address) else str(ip_network((address, 64), strict=False))


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
