"""What CoinSpot signs: HMAC-SHA512 over the body, under the account's secret, in lower-case hexadecimal.

Nobody outside knows whether its server signs the bytes that came or the text it would write itself. So we send bodies
for which both are the same: compact, without anything that JavaScript would print otherwise. Amounts go as strings.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account's key and secret. They never show, and are not for passing around."""

    key: str = field(repr=False)
    secret: str = field(repr=False)

    def hide(self, text: str) -> str:
        """`text` without either of them: venues repeat strange things."""
        for word in (self.secret, self.key):
            if word:
                text = text.replace(word, "***")
        return text


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


def body_of(fields: Mapping[str, str], nonce: int) -> bytes:
    """The body to send, with its nonce: the same bytes whichever way the venue signs.

    Strings only, but for the nonce (below 2**53, so a double holds it); no field name looks like an array index.
    """
    return json.dumps({"nonce": nonce, **fields}, separators=(",", ":"), ensure_ascii=False).encode()
