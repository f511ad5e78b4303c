"""Ports of the loopback."""

import socket

import pytest

from cluster.ports import claim, free_port
from omc.errors import Unavailable


def test_a_taken_port_is_one_sentence_that_says_who_wanted_it():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"port {port} cannot be used for HTTP: address already in use"):
            claim(port, "HTTP")


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_a_host_that_is_not_this_machine_is_refused_before_anything_starts(host):
    with pytest.raises(Unavailable, match=f"port 8123 of {host} cannot be used for HTTP"):
        claim(8123, "HTTP", host)


def test_zero_takes_any_free_port():
    assert claim(0, "HTTP") > 0
    port = free_port()
    assert claim(port, "HTTP") == port
