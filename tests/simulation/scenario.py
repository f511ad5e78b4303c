"""What one seed decides: the market, who trades it within which limits, how bad the weather is, and what happens when.

Each seed is hard on a few things rather than on all of them: an order that is lost in a storm tells less than one that
is lost on a clear day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TypeVar

from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.plan import LATEST_S, LONGEST_LAG_S, Spans
from omc.adapters.coinspot.venue import SANDBOX_SLOW_S, SLOW_S
from omc.risk.limits import Bounds
from omc.trading.execution import AT_ONCE, Execution
from tests.simulation.happening import Act, Blow, Hand, Happening
from tests.simulation.weather import Cut, Weather

_Choice = TypeVar("_Choice")
ORDERS_A_BAR = 3
CALLS_OF_STORES, CALLS_OF_VENUE = 14, 7
"""Of one order, roughly: only to tell how long a bar takes."""
NONE = Bounds()


@dataclass(frozen=True, slots=True)
class Scenario:
    seed: int
    bars: int
    market_seed: int
    gaps: float
    deployments: int
    users: int
    """Whose deployments they are: the last one's is another's where there are two."""
    shared: bool
    """All of an owner's trade one account, live; otherwise each its own, on paper."""
    lockstep: bool
    bar_s: float
    """How long a bar lasts on a tape that plays by itself."""
    depth_aud: Decimal | None
    weather: Weather
    fault_rate: float
    """Of the exchange's own plan."""
    fault_kinds: frozenset[FaultKind]
    spans: Spans
    """How long what it does late takes."""
    execution: Execution
    """How orders are worked."""
    limits: tuple[Bounds, Bounds, Bounds]
    """Of each deployment, each account, and the platform."""
    happenings: tuple[Happening, ...]
    tidy: bool
    """Whether a person sees to what waits for one, once the weather is fair."""
    fair_s: float
    """From then on nothing goes wrong any more."""

    @classmethod
    def of(cls, seed: int) -> "Scenario":
        rng = Random(f"scenario {seed}")
        bars = rng.randint(3, 6)
        deployments = _one_of(rng, {1: 4, 2: 4, 3: 2})
        exchange_s = _one_of(rng, {0.002: 4, 0.02: 4, 0.2: 1})
        store_s = _one_of(rng, {0.0005: 4, 0.003: 4, 0.02: 1})
        bar_s = ORDERS_A_BAR * (CALLS_OF_STORES * store_s + CALLS_OF_VENUE * exchange_s) * 2 + 0.5
        calls = bars * deployments * ORDERS_A_BAR * 25
        weather = Weather(
            store_s=store_s,
            store_lost=_one_of(rng, {0.0: 5, 0.005: 3, 0.03: 1}),
            actor_s=0.001,
            exchange_s=exchange_s,
            network_faults=_one_of(rng, {0.0: 3, 0.01: 3, 0.05: 2, 0.15: 1}),
            slow=_one_of(rng, {0.0: 2, 0.005: 4, 0.03: 1}),
            cuts={rng.randint(1, calls): _one_of(rng, _CUTS) for _ in range(_one_of(rng, {0: 2, 1: 3, 3: 3, 8: 1}))},
        )
        length_s = bars * bar_s + 1.0
        shared = rng.random() < (0.55 if deployments > 1 else 0.25)
        worked = _one_of(
            rng,
            {
                AT_ONCE: 6,
                Execution(good_for_s=rng.choice((10.0, 60.0, 300.0))): 2,
                Execution(slice_above_aud=Decimal(1000), slices=3, over_s=bar_s / 2): 1,
                Execution(slice_above_aud=Decimal(600), slices=4, over_s=bar_s * 2, good_for_s=300.0): 1,
            },
        )
        happenings = [
            *_some(rng, _BLOWS, {0: 1, 1: 3, 2: 3, 5: 1}, length_s),
            *_halts(rng, length_s),
            *_some(rng, _ORDERS if worked.good_for_s else _ASKED, {0: 5, 1: 2, 3: 2, 8: 1}, length_s),
            *(_some(rng, {Act.NEW_KEY: 1}, {0: 3, 1: 2, 3: 1}, length_s) if shared else ()),
            *(_some(rng, _HANDS, {0: 2, 1: 2, 3: 2, 8: 1}, length_s) if shared else ()),
        ]
        return cls(
            seed=seed,
            bars=bars,
            market_seed=rng.randrange(100_000),
            gaps=_one_of(rng, {0.0: 1, 0.1: 1}),
            deployments=deployments,
            users=2 if deployments > 1 and rng.random() < 0.3 else 1,
            shared=shared,
            # Where the venue's clock stands, nothing rests.
            lockstep=rng.random() < (0.15 if worked.good_for_s else 0.65),
            bar_s=bar_s,
            depth_aud=_one_of(rng, {None: 1 if worked.good_for_s else 4, Decimal(1500): 1, Decimal(200): 1}),
            weather=weather,
            fault_rate=_one_of(rng, {0.0: 3, 0.03: 4, 0.1: 2, 0.3: 1}),
            fault_kinds=_kinds(rng),
            spans=Spans(
                latency_s=4.0,
                silence_s=12.0,
                maintenance_s=20.0,
                lag_s=_one_of(rng, {LONGEST_LAG_S: 5, 1.5: 2, 6.0: 1}),
                late_s=_one_of(rng, {LATEST_S: 3, 3.0: 2, 20.0: 1}),
                unlisted_s=_one_of(rng, {0.2: 2, 1.0: 2, 8.0: 1, 40.0: 1}),
            ),
            execution=worked,
            limits=_limits(rng),
            happenings=tuple(sorted(happenings, key=lambda each: each.at_s)),
            tidy=rng.random() < 0.6,
            fair_s=length_s * 2.0,
        )

    @property
    def untroubled(self) -> bool:
        """Whether every order that is wanted can be had, sooner or later, at the price it was wanted at."""
        acts = any(not isinstance(each.what, Blow) for each in self.happenings)
        thin = self.depth_aud is not None or (self.fault_rate and FaultKind.PARTIAL_FILL in self.fault_kinds)
        bound = any(each.set() for each in self.limits)
        worked = self.execution != AT_ONCE
        return self.lockstep and not (self.shared or thin or acts or bound or worked or self.lags)

    @property
    def lags(self) -> bool:
        """Whether the exchange may do an order, or list it, later than its client waits for it."""
        lagging = self.spans.lag_s > LONGEST_LAG_S and self.fault_kinds & _LAGGING
        return bool(self.fault_rate and (lagging or self.fault_kinds & _LATE))

    @property
    def slow_s(self) -> float:
        """How long the exchange takes at most to carry out and to show what it took in, as its client has it."""
        quick = self.spans.late_s <= LATEST_S and self.spans.unlisted_s <= LATEST_S
        return SANDBOX_SLOW_S if quick else SLOW_S

    @property
    def by_hand(self) -> bool:
        """Whether an owner trades, too."""
        return any(isinstance(each.what, Hand) for each in self.happenings)

    @property
    def takes(self) -> bool:
        """Whether the owner takes what is ours."""
        return any(each.what is Hand.TAKE for each in self.happenings)


_LAGGING = frozenset({FaultKind.LAGGING_FILLS, FaultKind.LAGGING_BALANCES, FaultKind.LAGGING_ORDERS})
_LATE = frozenset({FaultKind.CARRIED_OUT_LATE, FaultKind.REPEATED_REQUEST, FaultKind.LISTED_LATE})
_CUTS = {Cut.BEFORE: 2, Cut.SENT: 2, Cut.ANSWERED: 2, Cut.CUT_OFF: 3}
_OFTEN = (Blow.SPLIT_RISK, Blow.SPLIT_SENDING, Blow.KILL_RISK, Blow.STILL_RISK)
_BLOWS: dict[Blow | Act | Hand, int] = {each: 3 if each in _OFTEN else 1 for each in Blow}
_ASKED: dict[Blow | Act | Hand, int] = {Act.CANCEL: 4, Act.FORCE_EXIT: 2, Act.FORCE_OUT: 1, Act.RESOLVE: 1}
_ORDERS = _ASKED | {Act.MOVE: 6, Act.ACCEPT: 1}
_HANDS: dict[Blow | Act | Hand, int] = {each: {Hand.TAKE: 1, Hand.ALIKE: 6}.get(each, 3) for each in Hand}
_STOPS: dict[tuple[Act | None, Act | None], int] = {
    (None, None): 16,
    (Act.STOP, None): 2,
    (Act.SELL_OUT, None): 2,
    (Act.STOP_BY_FILE, None): 1,
    (Act.STOP, Act.RESET): 1,
    (Act.SELL_OUT, Act.RESET): 1,
    (Act.PAUSE, Act.ACTIVATE): 2,
    (Act.STOP_ONE, Act.RESET): 1,
    (Act.STOP_ALL_BY_FILE, Act.RESET): 1,
    (Act.STOP_ALL_BY_FILE, None): 1,
    (Act.STOP_BY_FILE, Act.RESET): 1,
    (Act.NO_ENTRY, None): 1,
    (Act.NO_ENTRY, Act.RESET): 1,
    (Act.NO_ENTRY_OF_ONE, Act.SELL_OUT): 1,
    (Act.NO_ENTRY_BY_FILE, Act.RESET): 1,
    (Act.NO_ENTRY_BY_FILE, Act.STOP_ONE): 1,
}


def _some(
    rng: Random, weighed: "dict[Blow | Act | Hand, int]", counts: dict[int, int], length_s: float
) -> list[Happening]:
    lengths_s = (0.05, 0.5, 2.0, 15.0)
    return [
        Happening(rng.uniform(0.0, length_s), _one_of(rng, weighed), rng.choice(lengths_s), rng.randrange(9))
        for _ in range(_one_of(rng, counts))
    ]


def _halts(rng: Random, length_s: float) -> Sequence[Happening]:
    """A person stops something, and perhaps takes it back, or does nothing."""
    first, second = _one_of(rng, _STOPS)
    if first is None:
        return ()
    at_s = rng.uniform(0.0, length_s)
    acts = [Happening(at_s, first, 0.0, rng.randrange(9))]
    if second is not None:
        acts.append(Happening(at_s + rng.uniform(0.5, length_s), second, 0.0, rng.randrange(9)))
    return acts


def _limits(rng: Random) -> tuple[Bounds, Bounds, Bounds]:
    """Nothing that binds, or one limit or two, each at one level."""
    bounds = [NONE, NONE, NONE]
    for _ in range(_one_of(rng, {0: 6, 1: 3, 2: 1})):
        bounds[rng.randrange(3)] = Bounds(**rng.choice(_BINDING))
    return bounds[0], bounds[1], bounds[2]


_BINDING: tuple[dict[str, Decimal], ...] = (
    {"order_notional_aud": Decimal(2500)},
    {"position_notional_aud": Decimal(3000)},
    {"gross_notional_aud": Decimal(5000)},
    {"gross_notional_aud": Decimal(8000)},
    {"daily_loss_aud": Decimal(60)},
    {"drawdown": Decimal("0.004")},
    {"losses_in_a_row": Decimal(1), "cool_down_s": Decimal(600)},
    {"losses_in_a_row": Decimal(2)},
    {"orders_a_minute": Decimal(2)},
    {"concentration": Decimal("0.35")},
    {"price_band_bps": Decimal(150)},
)


def _kinds(rng: Random) -> frozenset[FaultKind]:
    """All of them, all but those that make an order smaller or later, or a few."""
    kinds = list(FaultKind)
    match rng.randrange(3):
        case 0:
            return frozenset(kinds)
        case 1:
            return frozenset(kinds) - {FaultKind.PARTIAL_FILL} - _LATE
    return frozenset(rng.sample(kinds, 4))


def _one_of(rng: Random, weighed: "dict[_Choice, int]") -> _Choice:
    return rng.choices(list(weighed), list(weighed.values()))[0]
