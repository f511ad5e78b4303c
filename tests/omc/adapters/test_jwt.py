"""Access tokens on the wire: ours hold, everything else is one and the same no."""

import base64
import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import jwt
import pytest

from omc.access.signer import ACCESS_LIFE, Claims
from omc.adapters.jwt import JwtSigner
from omc.adapters.key_file import ensure_key, read_keys
from omc.errors import OmcError, Unauthenticated

NOW = datetime(2025, 6, 1, tzinfo=UTC)
CLAIMS = Claims(uuid4(), uuid4(), NOW, NOW + ACCESS_LIFE)


@pytest.fixture
def signer(tmp_path: Path) -> JwtSigner:
    ensure_key(tmp_path / "token.key")
    return JwtSigner(tmp_path / "token.key")


def forged(signer: JwtSigner, key: bytes | None = None, algorithm: str = "HS256", **changes: object) -> str:
    header, payload, _ = signer.sign(CLAIMS).split(".")
    head = json.loads(base64.urlsafe_b64decode(header + "=="))
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(
        claims,
        None if algorithm == "none" else key or read_keys(signer.key_file)[0],
        algorithm=algorithm,
        headers={"kid": head["kid"]},
    )


def test_what_was_signed_is_read_back(signer: JwtSigner):
    assert signer.verify(signer.sign(CLAIMS), NOW) == CLAIMS


def test_time_is_the_callers(signer: JwtSigner):
    token = signer.sign(CLAIMS)
    assert signer.verify(token, NOW + ACCESS_LIFE - timedelta(seconds=1)) == CLAIMS
    with pytest.raises(Unauthenticated, match="expired"):
        signer.verify(token, NOW + ACCESS_LIFE)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody else"},
        {"iss": None},
        {"sub": None},
        {"sub": "not an id"},
        {"jti": None},
        {"exp": None},
        {"iat": None},
        {"exp": "soon"},
        {"exp": 10**30},
        {"iat": [1]},
    ],
    ids=str,
)
def test_a_token_with_a_claim_missing_or_wrong_does_not_hold(signer: JwtSigner, changes: dict[str, object]):
    with pytest.raises(Unauthenticated):
        signer.verify(forged(signer, **changes), NOW)


def test_a_token_signed_with_another_key_or_algorithm_does_not_hold(signer: JwtSigner):
    for token in (
        forged(signer, key=b"k" * 32),
        forged(signer, algorithm="none"),
        forged(signer, algorithm="HS512"),
    ):
        with pytest.raises(Unauthenticated):
            signer.verify(token, NOW)


@pytest.mark.parametrize(
    "token", ["", ".", "a.b.c", "é.é.é", "x" * 5_000, "null", "eyJhbGciOiJIUzI1NiJ9..", "[].[].[]"]
)
def test_what_is_no_token_does_not_hold(signer: JwtSigner, token: str):
    with pytest.raises(Unauthenticated):
        signer.verify(token, NOW)


def test_an_altered_token_does_not_hold(signer: JwtSigner):
    header, payload, signature = signer.sign(CLAIMS).split(".")
    other = JwtSigner(signer.key_file).sign(Claims(uuid4(), uuid4(), NOW, NOW + ACCESS_LIFE)).split(".")[1]
    for token in (f"{header}.{other}.{signature}", f"{header}.{payload}.", f"{header}.{payload}.{signature[:-2]}AA"):
        with pytest.raises(Unauthenticated):
            signer.verify(token, NOW)


def test_an_old_key_verifies_until_it_is_taken_out(signer: JwtSigner):
    old_token = signer.sign(CLAIMS)
    old_line = signer.key_file.read_text()
    signer.key_file.write_text("cd" * 32 + "\n" + old_line)
    rotated = JwtSigner(signer.key_file)
    assert rotated.verify(old_token, NOW) == CLAIMS
    assert rotated.verify(rotated.sign(CLAIMS), NOW) == CLAIMS
    with pytest.raises(Unauthenticated):
        signer.verify(rotated.sign(CLAIMS), NOW)


def test_a_signer_travels_without_its_keys(signer: JwtSigner):
    signer.sign(CLAIMS)
    (key,) = read_keys(signer.key_file)
    luggage = pickle.dumps(signer)
    assert key not in luggage
    assert key.hex().encode() not in luggage
    assert key.hex() not in repr(signer)
    assert pickle.loads(luggage).verify(signer.sign(CLAIMS), NOW) == CLAIMS


def test_a_short_key_signs_nothing(tmp_path: Path):
    path = tmp_path / "token.key"
    path.write_text("ab" * 16)
    path.chmod(0o600)
    with pytest.raises(OmcError):
        JwtSigner(path).sign(CLAIMS)
