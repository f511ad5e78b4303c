"""Who is asking: keys, signatures and nonces, checked in the order in which CoinSpot was seen to check them.

Body, nonce's format, key, signature, scope, nonce's order, and only then the request itself. So a request with a bad
signature spends no nonce, and one that is refused for its content does.
"""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from omc.adapters.coinspot.exchange.answer import Refusal
from omc.adapters.coinspot.javascript import parse, parse_int, stringify
from omc.adapters.coinspot.signature import signature

UNKNOWN_KEY = "invalid key"
WRONG_SIGN = "invalid sign"


@dataclass(frozen=True, slots=True)
class Customer:
    """Whose account it is, by the name that the paper venue knows it under, and what it was opened with."""

    account: str
    opened_with_aud: Decimal
    opened_at: datetime


@dataclass(slots=True)
class Key:
    """An API key. `last_nonce` is the highest that was accepted."""

    customer: Customer
    secret: str = field(repr=False)
    full_access: bool = True
    last_nonce: int = 0


@dataclass(slots=True)
class KeyRing:
    """All keys. `raw_only` relaxes the signature to the bytes that came; otherwise it must hold for the text that a
    JavaScript server would write for them as well."""

    raw_only: bool = False
    keys: dict[str, Key] = field(default_factory=dict, repr=False)

    def account_of(self, key: str | None) -> str | None:
        """Whose key it is, without looking at anything else; None for one that nobody has."""
        owner = self.keys.get(key) if key else None
        return owner.customer.account if owner else None

    def admit(self, body: bytes, key: str | None, sign: str | None, *, full_access: bool) -> tuple[Key, dict[str, Any]]:
        """The key's owner and the fields of the request, numbers as Decimal; its nonce is spent. Refusal otherwise."""
        canonical, nonce = _read(body)
        if not nonce:
            raise Refusal(401, "invalid/missing nonce")
        if not key:
            raise Refusal(401, "no key")
        owner = self.keys.get(key)
        if owner is None:
            raise Refusal(401, UNKNOWN_KEY)
        if not self._holds(owner.secret, body, canonical, sign or ""):
            raise Refusal(401, WRONG_SIGN)
        if full_access and not owner.full_access:
            raise Refusal(403, "this key is read only")
        if nonce <= owner.last_nonce:
            raise Refusal(401, "invalid nonce")
        owner.last_nonce = nonce
        return owner, json.loads(body.decode(), parse_float=Decimal, parse_int=Decimal)

    def _holds(self, secret: str, body: bytes, canonical: bytes, sign: str) -> bool:
        # Compared as bytes: a header may hold what compare_digest refuses as text.
        given = sign.encode()
        raw = hmac.compare_digest(signature(secret, body).encode(), given)
        return raw and (self.raw_only or hmac.compare_digest(signature(secret, canonical).encode(), given))


def _read(body: bytes) -> tuple[bytes, int | None]:
    """The body as JavaScript would write it again, and its nonce."""
    try:
        value = parse(body.decode())
        canonical = stringify(value).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise Refusal(400, "the body is not a JSON object")
    return canonical, parse_int(value.get("nonce"))
