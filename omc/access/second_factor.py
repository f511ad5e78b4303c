"""A second factor: codes that a device works out from a secret and the time (TOTP, RFC 6238: SHA-1, thirty seconds).

Each code is taken once. A device's clock may be a step off in either direction.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode
from uuid import UUID

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
RECOVERY_CODES = 10
FREE_TRIES = 5
"""Wrong codes in a row before anybody has to wait."""

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """One account's. `last_step` is that of the newest code that was taken."""

    id: UUID
    user_id: UUID
    sealed: str = field(repr=False)
    created_at: datetime
    confirmed_at: datetime | None = None
    """None while its owner has not shown that a device knows it: nothing is asked for until then."""
    last_step: int = -1
    tries: int = 0
    """Wrong codes since the last right one."""
    closed_until: datetime | None = None

    @property
    def is_on(self) -> bool:
        return self.confirmed_at is not None

    @property
    def place(self) -> bytes:
        """What its secret is sealed for."""
        return f"second_factors|{self.id}|{self.user_id}|secret".encode()


def step_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP_S


def code_of(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of a step, as RFC 4226 works it out of a counter."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[-1] & 0x0F
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFF_FFFF) % 10**digits:0{digits}d}"


def steps_of(secret: bytes, code: str, now: datetime) -> list[int]:
    """The steps near `now` whose code this is, the newest first; none when it is wrong."""
    if not _CODE.fullmatch(code):
        return []
    here = step_of(now)
    return [
        step for step in (here + 1, here, here - 1) if step >= 0 and hmac.compare_digest(code_of(secret, step), code)
    ]


def wait_after(tries: int) -> timedelta | None:
    """How long nobody is listened to after so many wrong codes in a row."""
    if tries < FREE_TRIES:
        return None
    return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(tries - FREE_TRIES, 16))


def new_secret() -> str:
    """In the letters in which devices take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_bytes(text: str) -> bytes:
    return base64.b32decode(text)


def enrollment_uri(secret: str, account: str) -> str:
    """What a device reads from a picture, to know the secret and whose it is."""
    label = quote(f"Oh My Coins:{account}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': 'Oh My Coins'}, quote_via=quote)}"


def new_recovery_codes() -> list[str]:
    """For whoever has lost the device: eighty random bits each, good for one use."""
    return [_grouped(base64.b32encode(secrets.token_bytes(10)).decode().lower()) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> str:
    """What is stored of a recovery code, however it was typed."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode()).hexdigest()


def is_device_code(code: str) -> bool:
    return bool(_CODE.fullmatch(code))


def _grouped(text: str) -> str:
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))
