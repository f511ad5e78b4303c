"""Nobody can say that they are somebody else, and a proxy of ours can say whom it speaks for."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve_apps.caller import Proxies, _caller, caller

OURS = Proxies((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
FRONT = Proxies(own_front=True)


def called(peer: str | None, *said: str, proxies: Proxies = OURS):
    headers = [(b"x-forwarded-for", each.encode("latin-1", "replace")) for each in said]
    return caller({"client": (peer, 5) if peer is not None else None, "headers": headers}, proxies)


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::7", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, <script>"], "10.0.0.1"),
        ("10.0.0.1", [" , ,"], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
        (None, ["198.51.100.1"], "unknown"),
        ("testclient", ["198.51.100.1"], "unknown"),
    ],
)
def test_the_caller_is_the_first_from_the_right_whom_we_do_not_trust(peer, said, address):
    assert called(peer, *said).address == address


@given(st.lists(st.text(max_size=30), max_size=50))
def test_nothing_that_a_client_writes_changes_who_it_is(forged):
    seen_by_our_proxy = ", ".join([*forged, "198.51.100.1"])
    assert called("10.0.0.1", seen_by_our_proxy).address == "198.51.100.1"
    assert called("203.0.113.9", *forged).address == "203.0.113.9"
    assert called("127.0.0.1", seen_by_our_proxy, proxies=FRONT).address == "198.51.100.1"


def test_who_is_on_this_machine_is_local_unless_a_proxy_speaks_for_somebody():
    assert called("127.0.0.1").is_local
    assert called("::1").is_local
    assert not called("127.0.0.1", "198.51.100.1").is_local
    assert not called("127.0.0.1", "127.0.0.1").is_local
    assert not called("10.0.0.1").is_local
    assert not called(None).is_local


def test_behind_a_front_of_our_own_its_word_and_no_other_is_taken():
    assert called("127.0.0.1", "127.0.0.1", proxies=FRONT).is_local
    assert not called("127.0.0.1", "198.51.100.1", proxies=FRONT).is_local
    assert not called("127.0.0.1", "198.51.100.1, 127.0.0.1", proxies=FRONT).is_local
    assert called("127.0.0.1", "198.51.100.1, 10.0.0.1", proxies=FRONT).address == "10.0.0.1"


def test_a_network_of_ipv6_is_one_caller():
    assert called("2001:db8:1:2::aaaa").network == called("2001:db8:1:2:9::").network == "2001:db8:1:2::/64"
    assert called("198.51.100.1").network == "198.51.100.1"


def test_nobody_for_whom_a_proxy_speaks_is_local_whatever_they_say():
    here_and_there = Proxies((ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")))
    assert not called("127.0.0.1", "127.0.0.1, 10.0.0.7", proxies=here_and_there).is_local
    assert not called("127.0.0.1", "127.0.0.1", proxies=here_and_there).is_local
    assert called("127.0.0.1", proxies=here_and_there).is_local


def test_what_is_said_fills_no_memory():
    assert called("10.0.0.1", "1" * 100_000 + ", 198.51.100.1").address == "198.51.100.1"
    before = _caller.cache_info().currsize
    for length in range(3_000, 3_010):
        called("10.0.0.1", "x" * length + ", 198.51.100.1")
    assert _caller.cache_info().currsize <= before + 1
