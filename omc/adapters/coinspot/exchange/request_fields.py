"""The fields of a private request, each with its own refusal."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from omc.errors import VenueRefused

Choice = TypeVar("Choice", bound=StrEnum)
_DAY = timedelta(days=1)
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_DIGITS = 40
"""No number in a request is longer than that, written out."""
LARGEST_LIMIT = 500


@dataclass(frozen=True, slots=True)
class RequestFields:
    """Numbers may come as numbers or as text; coins in any case."""

    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if isinstance(value, Decimal) and abs(value.adjusted()) < _DIGITS:
            value = f"{value:f}"
        if not isinstance(value, str) or not value.strip():
            raise VenueRefused(f"Invalid {name}")
        return value.strip()

    def coin(self, name: str = "cointype") -> str:
        return self.text(name).upper()

    def optional_coin(self, name: str = "cointype") -> str | None:
        return self.coin(name) if self._given(name) else None

    def decimal(self, name: str) -> Decimal:
        value = self.values.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = Decimal(value.strip())
        if isinstance(value, Decimal) and abs(value.adjusted()) < _DIGITS:
            return value
        raise VenueRefused(f"Invalid {name}")

    def optional_decimal(self, name: str) -> Decimal | None:
        return self.decimal(name) if self._given(name) else None

    def choice(self, name: str, choices: type[Choice], default: Choice | None = None) -> Choice:
        if default is not None and not self._given(name):
            return default
        try:
            return choices(self.text(name))
        except ValueError:
            raise VenueRefused(f"Invalid {name}") from None

    def aud_market(self) -> None:
        """Only AUD markets are played here."""
        if self._given("markettype") and self.text("markettype").upper() != "AUD":
            raise VenueRefused("Invalid market")

    def since(self) -> datetime | None:
        return self._date("startdate", day_ends=False)

    def until(self) -> datetime | None:
        return self._date("enddate", day_ends=True)

    def limit(self, default: int = 200) -> int:
        value = self.optional_decimal("limit")
        if value is None:
            return default
        if not value.is_finite() or value != int(value) or value < 1:
            raise VenueRefused("Invalid limit")
        return min(int(value), LARGEST_LIMIT)

    def _date(self, name: str, *, day_ends: bool) -> datetime | None:
        """A day in UTC, or seconds since 1970."""
        if not self._given(name):
            return None
        text = self.text(name)
        try:
            if text.count("-") == 2:
                day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
                return day + _DAY if day_ends else day
            return datetime.fromtimestamp(float(text), UTC)
        except (ValueError, OverflowError, OSError):
            raise VenueRefused(f"Invalid {name}") from None

    def _given(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")
