"""The hand on the sandbox, which no real exchange has: the tape's clock, its step, accounts, and faults.

Every request carries the token of a file that only the owner can read.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from omc.adapters.coinspot.exchange.answer import NOT_FOUND, Answer, Refusal, answered
from omc.adapters.coinspot.exchange.fault_desk import FaultDesk
from omc.adapters.coinspot.exchange.keys import Customer, Key, KeyRing
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.errors import InvalidInput
from omc.market.tape import TapeClock

_LONGEST_NAME = 200


@dataclass(slots=True)
class ControlDesk:
    """`token` None turns it off."""

    player: TapePlayer
    ring: KeyRing
    token: str | None = field(repr=False)
    faults: FaultDesk = field(default_factory=FaultDesk)
    _opened: dict[str, str] = field(default_factory=dict, repr=False)
    """Keys by account."""

    def answer(self, method: str, path: str, token: str, body: bytes) -> Answer:
        if self.token is None:
            return NOT_FOUND
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise Refusal(401, "wrong or missing x-sandbox-token")
        match method, path:
            case "GET", "clock":
                return answered(_clock(self.player.clock()))
            case "POST", "step":
                return answered(_clock(self.player.step(_position(_fields(body)))))
            case "POST", "accounts":
                return answered(self._open(_fields(body)))
            case "GET", "faults":
                return answered(self.faults.document())
            case "POST", "faults":
                return answered(self.faults.switch(_fields(body), self.player.venue.executions))
        return NOT_FOUND

    def _open(self, fields: dict[str, Any]) -> dict[str, str]:
        """The same name again gives the same key, and no second deposit."""
        name = fields.get("account")
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
            raise Refusal(400, f"account must be a name of 1 to {_LONGEST_NAME} characters")
        if name not in self._opened:
            key = secrets.token_hex(16)
            self.add_key(name, _cash(fields.get("cash_aud")), key, secrets.token_hex(32))
            self._opened[name] = key
        key = self._opened[name]
        return {"key": key, "secret": self.ring.keys[key].secret}

    def add_key(self, account: str, cash_aud: Decimal, key: str, secret: str) -> None:
        """Open an account under a key that is given."""
        if key in self.ring.keys:
            raise InvalidInput("an account with this key is open already")
        self.player.venue.open_account(account, cash_aud)
        self.ring.keys[key] = Key(Customer(account, cash_aud, self.player.venue.time), secret)


def _clock(clock: TapeClock) -> dict[str, Any]:
    return {
        "time": clock.time.isoformat(),
        "position": clock.position,
        "bars": clock.bars,
        "lockstep": clock.lockstep,
    }


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refusal(400, "the body is not a JSON object")
    return fields


def _position(fields: dict[str, Any]) -> int:
    position = fields.get("position")
    if not isinstance(position, int) or isinstance(position, bool):
        raise Refusal(400, "position must be a whole number")
    return position


def _cash(value: Any) -> Decimal:
    try:
        return Decimal(value if isinstance(value, str) else "NaN")
    except InvalidOperation:
        return Decimal("NaN")
