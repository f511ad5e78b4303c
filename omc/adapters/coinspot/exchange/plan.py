"""Which request gets which fault: fixed by a seed and by the order of the requests, and by nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from omc.adapters.coinspot.exchange.faults import FITTING, Fault, FaultKind, asked
from omc.errors import InvalidInput

LARGEST_SEED = 2**63 - 1
DEFAULT_RATE = 0.05
LONGEST_LAG_S = 0.2
"""How long a lagging answer is behind, at most."""
LATEST_S = 0.2
"""How long after it was admitted a request is carried out, at the latest."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How long what takes time takes, in seconds: at the worst; a silence and a lag are always as long as they say."""

    latency_s: float = 0.1
    silence_s: float = 0.15
    """How long a connection stays open on which no answer will come."""
    lag_s: float = LONGEST_LAG_S
    maintenance_s: float = 0.5
    skew_s: float = 60.0
    late_s: float = LATEST_S
    """How long after it was admitted a request is carried out."""
    unlisted_s: float = 1.0
    """How long no list knows what an order did."""


@dataclass(slots=True)
class FaultPlan:
    """`rate` of all requests get a fault of one of `kinds`, `account_rate` of those made with a key if that is another;
    none after `most` of them, where 0 means any number.

    Every account has a sequence of its own, so that two do not disturb each other; accounts count in the order in which
    they are heard of first.
    """

    seed: int
    rate: float = DEFAULT_RATE
    kinds: frozenset[FaultKind] = frozenset(FaultKind)
    most: int = 0
    spans: Spans = field(default_factory=Spans)
    account_rate: float | None = None
    _numbers: dict[str, int] = field(default_factory=dict)
    _asked: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise InvalidInput(f"a plan's seed is a number from 0 to {LARGEST_SEED}, not {self.seed}")
        for rate in (self.rate, self.rate if self.account_rate is None else self.account_rate):
            if not 0 <= rate <= 1:
                raise InvalidInput(f"the rate of faults is a fraction from 0 to 1, not {rate}")
        if self.most < 0:
            raise InvalidInput(f"the largest number of faults must be 0 or more, not {self.most}")

    def next(self, path: str, account: str) -> Fault | None:
        """What befalls the next request of `account`; "" is whoever asks without a key."""
        what = asked(path)
        if what is None:
            return None
        number = self._numbers.setdefault(account, len(self._numbers)) if account else -1
        count = self._asked[number] = self._asked.get(number, 0) + 1
        draw = Random(f"{self.seed}:{number}:{count}")  # noqa: S311 - reproducible on purpose
        rate = self.account_rate if account and self.account_rate is not None else self.rate
        if draw.random() >= rate:
            return None
        fitting = [kind for kind in FITTING[what] if kind in self.kinds]
        if not fitting:
            return None
        return Fault(draw.choice(fitting), draw.random(), draw.getrandbits(32))


def kinds_of(names: Iterable[str]) -> frozenset[FaultKind]:
    """Kinds by name, all of them without one. InvalidInput names one that there is not."""
    kinds = set()
    for name in names:
        try:
            kinds.add(FaultKind(name))
        except ValueError:
            known = ", ".join(FaultKind)
            raise InvalidInput(f"there is no fault called {name[:40]!r}: there are {known}") from None
    return frozenset(kinds or FaultKind)
