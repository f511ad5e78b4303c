"""What a deployment, an account and the whole platform trade within. A limit that is not set does not bind."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, Self
from zoneinfo import ZoneInfo

from omc.errors import InvalidInput

LIVE_QUOTE_AGE_S = Decimal(60)
"""For real money, where nothing else is set."""
_COUNTS = frozenset({"orders_a_minute", "losses_in_a_row"})
_SHARES = frozenset({"concentration", "drawdown"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """Amounts in AUD, shares as fractions, times in seconds of the venue's clock. All but the price band keep from
    adding only: what is held may always be sold."""

    order_notional_aud: Decimal | None = None
    position_notional_aud: Decimal | None = None
    """Of one coin, valued at the price that more of it costs."""
    daily_loss_aud: Decimal | None = None
    """Equity at the day's beginning, less equity now."""
    concentration: Decimal | None = None
    """The largest share of equity in one coin."""
    gross_notional_aud: Decimal | None = None
    net_notional_aud: Decimal | None = None
    """As gross where nothing is owed: all positions are long."""
    price_band_bps: Decimal | None = None
    """How far an order's price may be worse than the newest quote."""
    orders_a_minute: Decimal | None = None
    duplicate_s: Decimal | None = None
    """Within this time the same order again is none that somebody meant. Of one quote it never is."""
    drawdown: Decimal | None = None
    """The largest loss from the highest equity, as a share of it."""
    losses_in_a_row: Decimal | None = None
    cool_down_s: Decimal | None = None
    """How long nothing is added after so many losses in a row, or after one; until the day is over when only they are
    limited."""
    quote_age_s: Decimal | None = None
    """How much older than the newest quotes those may be that an order was sized on, and how old the newest."""

    def __post_init__(self) -> None:
        for name, value in self.set().items():
            if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
                raise ValueError(f"{name} must be a positive amount, not {value}")
            if name in _COUNTS and value % 1:
                raise ValueError(f"{name} must be a whole number, not {value}")
            if name in _SHARES and value > 1:
                raise ValueError(f"{name} is a share, at most 1, not {value}")

    def set(self) -> dict[str, Decimal]:
        """Those that are set, by name."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}

    def within(self, most: "Bounds") -> str | None:
        """None when nothing here is wider than in `most`; otherwise a sentence about the first that is. What is not set
        here is not wider: the other goes on to bind by itself."""
        for name, value in self.set().items():
            bound = getattr(most, name)
            # More time is the stricter of these two.
            wider = bound is not None and (value < bound if name in _LONGER_IS_STRICTER else value > bound)
            if wider:
                return f"{name} is {value:f}: {'at least' if name in _LONGER_IS_STRICTER else 'at most'} {bound:f}"
        return None

    def loosened_by(self, named: Mapping[str, Decimal | None]) -> bool:
        """Whether anything that is named is wider than what is set here; None is the widest there is."""
        for name, bound in self.set().items():
            value = named.get(name, bound)
            if value is None or (value < bound if name in _LONGER_IS_STRICTER else value > bound):
                return True
        return False

    def told(self) -> dict[str, str]:
        return {name: f"{value:f}" for name, value in self.set().items()}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """What `told` said. InvalidInput for a name that is no limit's, or a value that is none."""
        try:
            return cls(**{name: Decimal(str(value)) for name, value in told.items() if value is not None})
        except (TypeError, ValueError, ArithmeticError) as fault:
            raise InvalidInput(f"limits: {fault}") from None


_LONGER_IS_STRICTER = frozenset({"duplicate_s", "cool_down_s"})


@dataclass(frozen=True, slots=True)
class Limits(Bounds):
    """Those of a deployment, three of which are always set."""

    order_notional_aud: Decimal
    position_notional_aud: Decimal
    daily_loss_aud: Decimal

    def changed(self, by: Bounds) -> Self:
        """With what is set in `by` in the place of what was."""
        return type(self)(**{**asdict(self), **by.set()})


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What all deployments of an owner in one mode trade within together: those on paper apart from those live."""

    bounds: Bounds = field(default_factory=Bounds)
    time_zone: str = "UTC"
    """Whose midnight begins a day: a name of the IANA data base."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError, KeyError):
            raise InvalidInput(f"{self.time_zone!r} is no time zone such as Australia/Sydney") from None

    def zone_of(self, level: str) -> ZoneInfo:
        """Whose midnight begins a day there; the platform's days are those of UTC."""
        return ZoneInfo("UTC" if level == "platform" else self.time_zone)
