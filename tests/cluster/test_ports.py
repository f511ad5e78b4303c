"""Ports of the loopback."""

import socket
from collections.abc import Iterator

import pytest

from cluster.ports import LOOPBACK, Ports, free_port
from omc.errors import Unavailable


@pytest.fixture
def ports() -> Iterator[Ports]:
    held = Ports()
    yield held
    held.release()


def test_a_taken_port_is_one_sentence_that_says_who_wanted_it(ports):
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} cannot be used for HTTP: address already in use"):
            ports.claim(port, "HTTP")


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_a_host_that_is_not_this_machine_is_refused_before_anything_starts(ports, host):
    with pytest.raises(Unavailable, match=f"port 8123 of {host} cannot be used for HTTP"):
        ports.claim(8123, "HTTP", host)


def test_zero_takes_any_free_port_and_every_claim_another(ports):
    taken = {ports.claim(0, "HTTP") for _ in range(50)}
    assert len(taken) == 50
    port = free_port()
    assert ports.claim(port, "HTTP") == port


def test_a_claimed_port_is_given_to_nobody_else_but_can_be_listened_on(ports):
    port = ports.claim(0, "the sandbox exchange")
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((LOOPBACK, port))
    with socket.create_server((LOOPBACK, port)) as exchange, socket.create_connection((LOOPBACK, port)):
        assert exchange.getsockname()[1] == port


def test_a_released_port_is_anybodys(ports):
    port = ports.claim(0, "HTTP")
    ports.release()
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, port))
