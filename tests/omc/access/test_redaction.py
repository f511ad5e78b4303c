"""What is, or looks like, a secret is written nowhere."""

import base64
import json
import secrets
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.redaction import HIDDEN, is_secret_name, redacted, redacted_path, redacted_value

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhYmMifQ.dGhpcy1pcy1hLXNpZ25hdHVyZQ"
SHAPES = {
    "a JSON Web Token": JWT,
    "an API token": f"omc_{uuid4().hex}_{secrets.token_urlsafe(32)}",
    "a recovery code": "5ydd-x37h-jgtp-7cap",
    "a key in hexadecimal": secrets.token_hex(16),
    "a longer one": secrets.token_hex(32),
    "a key in base64": base64.b64encode(bytes(range(7, 47))).decode(),
    "a refresh token": "Zq3xV0n1b2M4k5J6h7G8f9D0s1A2p3O4i5U6y7T8r9E",
    "a sealed value": "v1.0a1b2c3d4e5f.AAAAbbbbCCCC/ddd+eee=",
    "a token of Fernet": "gAAAAABk1234567890abcdefghijklmnopqrstuvwxyz==",
}
AROUND = ["{}", "what is {}?", '{{"message": "{}"}}', "a={}&b=2", "<{}>", "({}), and more", "Bearer {}"]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_is_known_by_its_shape_wherever_it_stands(shape, around):
    said = redacted(around.format(SHAPES[shape]))
    assert SHAPES[shape] not in said
    assert HIDDEN in said


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2",
        'password: "hunter2 and more"',
        "{'api_key': 'hunter2'}",
        '{"api_secret": "hunter2"}',
        "Authorization: Basic hunter2",
        "authorization=Bearer hunter2",
        "the X-Api-Key: hunter2",
        "refresh_token=hunter2&x=1",
        "Cookie: hunter2",
        "postgresql://omc:hunter2@127.0.0.1:5432/omc",
        "redis://:hunter2@cache:6379",
        "postgresql://omc:a@hunter2@127.0.0.1/omc",
        "token%3Dhunter2",
        "%22token%22%3A%22hunter2%22",
        r"{\"token\": \"hunter2\"}",
        r"{\\\"token\\\": \\\"hunter2\\\"}",
        "password=b'hunter2'",
        "{'password': Password('hunter2')}",
        "(b'password', b'hunter2')",
        'what was cut off: token="hunter2',
        "token_id=password=hunter2",
        "X-Second-Factor: hunter2",
        "otpauth://totp/somebody?secret=hunter2&digits=6",
        "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
    ],
)
def test_a_secret_is_known_by_its_name_however_short_it_is(text):
    assert "hunter2" not in redacted(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=40))
def test_whatever_goes_by_the_name_of_a_secret_is_hidden(value):
    told = redacted_value({"password": value, "nested": [{"api_secret": value}], "status": 200})
    assert told == {"password": HIDDEN, "nested": [{"api_secret": HIDDEN}], "status": 200}


@pytest.mark.parametrize(
    "text",
    [
        "a plain sentence about nothing in particular",
        "sweep b7e9256d-1622-4e0b-8c03-57d2449036a6 failed",
        "GET /api/v1/floor/deployments 200 in 12.3 ms",
        "2025-06-10T12:00:00.123456+00:00",
        "/home/somebody/.omc/run/platform.json is not there",
        "omc.adapters.postgres.database: PostgresCredentials",
        "token_type=bearer, token_id=7",
        "90123.12345678 AUD",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


@given(st.text(max_size=200))
def test_hiding_what_is_hidden_changes_nothing(text):
    once = redacted(text)
    assert redacted(once) == once


def test_names_of_secrets_are_known_in_any_spelling():
    for name in ("Password", "apiKey", "api_key", "X-API-KEY", "access_token", "clientSecret", "Set-Cookie", "code"):
        assert is_secret_name(name), name
    for name in ("token_id", "status_code", "exit_code", "key_id", "path", "decoded", "user"):
        assert not is_secret_name(name), name


def test_what_has_no_end_is_told_as_far_as_it_goes():
    endless: dict[str, object] = {"a": 1}
    endless["itself"] = endless
    json.dumps(redacted_value(endless))


HOSTILE = [
    "-token",
    "a-",
    "token",
    "+",
    "eyJ-",
    "://:",
    "://a:",
    'token="\\a',
    "bearer ",
    "A1/",
    "v1.",
    "\\",
    "token=\\'",
    " =",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_longer_than_its_length_warrants(piece):
    """Time that grew with the square of the length would not end here."""
    hostile = piece * (1_000_000 // len(piece))
    for text in (hostile, hostile[:30_000], "token" + hostile[:30_000]):
        redacted(text)
        redacted_path(text)


def test_of_what_is_too_long_the_beginning_is_told_and_no_half_of_a_secret():
    said = redacted(f"{'word ' * 6_553}Zq3xV0n1b2M4k5J6h7G8f9D0s1A2p3O4i5U6y7T8r9E{' word' * 1_000}")
    assert said.startswith("word word")
    assert said.endswith("[37808 characters in all]")
    assert "Zq3x" not in said
    assert redacted_path(f"/api/{'x/' * 5_000}").endswith("/[10005 characters in all]")
