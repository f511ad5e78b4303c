"""What each user may have and use, so that nobody's algorithms, searches or loops become everybody's."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from omc.clock import utc
from omc.errors import PayloadTooLarge, RateLimited


class Quota(StrEnum):
    """One of the things that a user has a share of."""

    ALGORITHMS = "algorithms"
    CODE_BYTES = "code_bytes"
    BACKTESTS = "backtests"
    SWEEPS = "sweeps"
    MODELS = "models"
    CPU_S = "cpu_s"


_SAID = {
    Quota.ALGORITHMS: "you have {used:,} algorithms of the {most:,} that you may have: delete one that you do not need",
    Quota.BACKTESTS: "{used:,} of your backtests are queued or running, and no more than {most:,} may be at once: wait "
    "until one has ended, or delete one",
    Quota.SWEEPS: "{used:,} of your sweeps are queued or running, and no more than {most:,} may be at once: wait until "
    "one has ended, or cancel one",
    Quota.MODELS: "you have {used:,} models of the {most:,} that you may have: delete one that you do not need",
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """Every user's quotas."""

    algorithms: int = 200
    """Those that were deleted do not count."""
    code_bytes: int = 65_536
    """Of one algorithm, in UTF-8."""
    backtests: int = 4
    """Queued or running at once."""
    sweeps: int = 2
    """Queued or running at once."""
    models: int = 100
    """Fitted ones that are stored."""
    model_bytes: int = 1_073_741_824
    """Of all of them together."""
    cpu_s: float = 14_400.0
    """Seconds of processor time in a day of UTC, of everything that an algorithm computes but to trade."""

    def check_code(self, code: str | None) -> None:
        """PayloadTooLarge for more than may be stored: asking later gives the same answer."""
        size = 0 if code is None else len(code.encode("utf-8", "surrogatepass"))
        if size > self.code_bytes:
            raise PayloadTooLarge(
                f"the code has {size:,} bytes in UTF-8 of the {self.code_bytes:,} that an algorithm may have: "
                "shorten it, or make two algorithms of it"
            )

    def used_up(self, used_s: float, now: datetime) -> str | None:
        """What to say when the processor time of the day of `now` is used up; None while there is any left."""
        if used_s < self.cpu_s:
            return None
        return (
            f"you have used {used_s:,.0f} of your {self.cpu_s:,.0f} CPU seconds of {utc(now):%Y-%m-%d}: wait, since it "
            "starts anew at 00:00 UTC"
        )


def check_room(quota: Quota, used: int, most: int | None) -> None:
    """RateLimited when `used` of `most` leave no room for one more; there always is where there is no most."""
    if most is not None and used >= most:
        raise RateLimited(_SAID[quota].format(used=used, most=most))


def check_bytes(used: int, size: int, most: int | None) -> None:
    """PayloadTooLarge when `size` bytes of a model are more than `used` of `most` leave room for."""
    if most is not None and used + size > most:
        raise PayloadTooLarge(
            f"the model has {size:,} bytes, and your others have {used:,} of the {most:,} that all of them may have: "
            "delete one that you do not need"
        )


def next_day(now: datetime) -> datetime:
    """When the day of UTC that `now` belongs to is over, and what is used by day starts anew."""
    return datetime.combine(utc(now).date() + timedelta(days=1), time(), UTC)
