import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.coinspot.javascript import parse, stringify
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.signature import Credentials, body_of, signature

RECORDED = Path(__file__).parents[5] / "shared/data/coinspot/signed_requests.jsonl"
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.dictionaries(WORDS.filter(lambda word: not word.isdigit()), WORDS, max_size=5), st.integers(1, 2**53 - 1))
def test_a_body_is_the_same_bytes_whichever_way_the_venue_signs(fields, nonce):
    body = body_of(fields, nonce)
    assert stringify(parse(body.decode())).encode() == body


def test_amounts_are_sent_as_strings_without_spaces():
    body = body_of({"cointype": "BTC", "amount": "0.00001000"}, 7)
    assert body == b'{"nonce":7,"cointype":"BTC","amount":"0.00001000"}'


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded inputs are not beside the project")
def test_real_clients_signed_alike():
    for line in RECORDED.read_text().splitlines():
        request = json.loads(line)
        headers = dict(zip(request["headers"][::2], request["headers"][1::2], strict=True))
        sign = next(value for name, value in headers.items() if name.lower() == "sign")
        assert (signature("testsecret", request["body"].encode()) == sign) == request["rawok"]


def test_credentials_never_show():
    credentials = Credentials("planted-key", "planted-secret")
    assert "planted" not in f"{credentials!r}{credentials}"
    assert credentials.hide("no planted-key, planted-secret!") == "no ***, ***!"


async def test_nonces_rise_whatever_the_clock_does():
    nonces = MemoryNonces()
    given_out = [await nonces.next("a", now) for now in (100, 100, 50, 200)]
    assert given_out == [100, 101, 102, 200]
    assert await nonces.next("b", 7) == 7
