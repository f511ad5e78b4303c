"""Who gets in, and in which order the reasons are given."""

import json
from pathlib import Path

import pytest

from omc.adapters.coinspot.exchange.answer import Refusal
from omc.adapters.coinspot.exchange.keys import Customer, Key, KeyRing
from omc.adapters.coinspot.signature import signature

RECORDED = Path(__file__).parents[6] / "shared/data/coinspot/signed_requests.jsonl"
NOBODY = Customer("me", None, None)


def ring(raw_only=False):
    keys = {"k": Key(NOBODY, "testsecret"), "r": Key(NOBODY, "testsecret", full_access=False)}
    return KeyRing(raw_only, keys)


def admit(ring, body, key="k", sign=None, full_access=True):
    body = body if isinstance(body, bytes) else body.encode()
    return ring.admit(body, key, signature("testsecret", body) if sign is None else sign, full_access=full_access)


def refusal(*arguments, **options):
    with pytest.raises(Refusal) as refused:
        admit(*arguments, **options)
    return refused.value.status, refused.value.message


@pytest.mark.parametrize(
    ("body", "key", "sign", "expected"),
    [
        ("nonsense", None, "", (400, "the body is not JSON")),
        (b"\xff", None, "", (400, "the body is not JSON")),
        ('{"nonce":NaN}', None, "", (400, "the body is not JSON")),
        ("[" * 100_000, None, "", (400, "the body is not JSON")),
        ("[1]", None, "", (400, "the body is not a JSON object")),
        ("{}", None, "", (401, "invalid/missing nonce")),
        ('{"nonce":0}', None, "", (401, "invalid/missing nonce")),
        ('{"nonce":"abc"}', None, "", (401, "invalid/missing nonce")),
        ('{"nonce":true}', None, "", (401, "invalid/missing nonce")),
        ('{"nonce":1}', None, "", (401, "no key")),
        ('{"nonce":1}', "x", "", (401, "invalid key")),
        ('{"nonce":1}', "k", "", (401, "invalid sign")),
        ('{"nonce":1}', "k", "ABC\xe9", (401, "invalid sign")),
        ('{"nonce":1}', "r", None, (403, "this key is read only")),
        ('{"nonce":-1}', "k", None, (401, "invalid nonce")),
    ],
)
def test_the_reasons_come_in_the_venues_order(body, key, sign, expected):
    assert refusal(ring(), body, key, sign) == expected


@pytest.mark.parametrize("nonce", ["7", '"7"', '" 7abc"', "7.9", '"1616492376594"', "[7]"])
def test_a_nonce_is_what_parse_int_makes_of_it(nonce):
    _, fields = admit(ring(), f'{{"nonce":{nonce},"a":"b"}}')
    assert fields["a"] == "b"


def test_nonces_must_rise_for_each_key_alone():
    keys = ring()
    admit(keys, '{"nonce":5}')
    assert refusal(keys, '{"nonce":5}') == (401, "invalid nonce")
    assert refusal(keys, '{"nonce":4}') == (401, "invalid nonce")
    admit(keys, '{"nonce":5}', key="r", full_access=False)
    admit(keys, '{"nonce":6}')


def test_a_bad_signature_spends_no_nonce():
    keys = ring()
    assert refusal(keys, '{"nonce":99}', sign="0" * 128) == (401, "invalid sign")
    admit(keys, '{"nonce":1}')


@pytest.mark.parametrize("body", ['{"nonce": 1}', '{"nonce":1,"amount":50.0}', '{"nonce":1,"amount":1e-05}'])
def test_a_body_that_javascript_writes_otherwise_is_refused_unless_raw(body):
    assert refusal(ring(), body) == (401, "invalid sign")
    admit(ring(raw_only=True), body)


def test_the_signature_is_over_what_came_even_if_the_canonical_text_is_signed():
    assert refusal(ring(), '{"nonce": 1}', sign=signature("testsecret", b'{"nonce":1}')) == (401, "invalid sign")


def test_secrets_do_not_show():
    assert "testsecret" not in repr(ring())
    assert "testsecret" not in repr(ring().keys["k"])


@pytest.mark.shared
@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded inputs are not beside the project")
def test_recorded_requests_of_real_clients_get_in_exactly_when_both_signatures_hold():
    admitted = 0
    for line in RECORDED.read_text().splitlines():
        request = json.loads(line)
        headers = {k.lower(): v for k, v in zip(request["headers"][::2], request["headers"][1::2], strict=True)}
        arguments = (request["body"].encode(), headers["key"], headers["sign"])
        ring(raw_only=True).admit(*arguments, full_access=True)
        if request["rawok"] and request["canok"]:
            ring().admit(*arguments, full_access=True)
            admitted += 1
        else:
            with pytest.raises(Refusal, match="invalid sign"):
                ring().admit(*arguments, full_access=True)
    assert admitted == 28
