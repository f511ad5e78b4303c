"""Access tokens as JSON Web Tokens, signed with HS256.

PyJWT's own rules that are tightened here: the algorithm is pinned, a short key is refused instead of warned about, all
claims are required, and time is the caller's, so that a test can be at any moment.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt

from omc.access.signer import Claims
from omc.adapters.key_file import read_keys
from omc.errors import Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "omc"
# Longer than any of ours; a longer text is not worth a look.
_LONGEST_TOKEN = 2_048


@dataclass(frozen=True)
class JwtSigner:
    """A TokenSigner that travels as the path of its key file and reads it on first use.

    The first key of the file signs; all of them verify, each known by its id, so a key is replaced by putting a new
    one above it and taking the old one out a quarter of an hour later.
    """

    key_file: Path

    def sign(self, claims: Claims) -> str:
        key_id, key = next(iter(self._keys.items()))
        payload = {
            "iss": _ISSUER,
            "sub": str(claims.user_id),
            "jti": str(claims.token_id),
            "iat": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        return self._codec.encode(payload, key, algorithm=_ALGORITHM, headers={"kid": key_id})

    def verify(self, token: str, now: datetime) -> Claims:
        if len(token) > _LONGEST_TOKEN:
            raise Unauthenticated("the access token is not valid")
        try:
            key = self._keys[jwt.get_unverified_header(token).get("kid", "")]
            claims = _claims(self._codec.decode(token, key, algorithms=[_ALGORITHM], issuer=_ISSUER))
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, OverflowError):
            # One answer for every kind of wrong: what exactly was wrong helps only whoever forges.
            raise Unauthenticated("the access token is not valid") from None
        claims.check(now)
        return claims

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        return {hashlib.sha256(b"kid:" + key).hexdigest()[:12]: key for key in read_keys(self.key_file)}

    @cached_property
    def _codec(self) -> jwt.PyJWT:
        return jwt.PyJWT(
            options={
                "require": ["exp", "iat", "sub", "jti", "iss"],
                "verify_exp": False,
                "verify_iat": False,
                "enforce_minimum_key_length": True,
            }
        )

    def __getstate__(self) -> dict[str, Any]:
        # Keys that were read stay in the process that read them.
        return {"key_file": self.key_file}


def _claims(payload: dict[str, Any]) -> Claims:
    return Claims(
        user_id=UUID(payload["sub"]),
        token_id=UUID(payload["jti"]),
        issued_at=datetime.fromtimestamp(int(payload["iat"]), UTC),
        expires_at=datetime.fromtimestamp(int(payload["exp"]), UTC),
    )
