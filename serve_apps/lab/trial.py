"""Tries an algorithm out: whether it keeps its contract, looks ahead, and decides the same when it is told less."""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass

from omc.backtest import lookahead
from omc.errors import Refused
from omc.feature.frame import Frame
from omc.promotion.contract import bars_for, coins_for, findings
from omc.promotion.gate import Figure
from omc.promotion.pieces import UNTRIED, decided_in_pieces
from omc.strategy.algorithm import Algorithm
from serve_apps.making import apart

# Each has an algorithm decide everything three times over: one that learns takes most of a second for that.
_CUTS = 12


@dataclass(frozen=True, slots=True)
class Trial:
    """What breaks the contract, what looks ahead, and how many decisions are others in pieces; the last two only of an
    algorithm that can be asked at all. None of them of one that ran out of time, and `late` says so."""

    contract: tuple[str, ...] = ()
    look_ahead: tuple[str, ...] = ()
    pieces: Figure = UNTRIED
    late: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The prices that show enough of an algorithm."""

    bars: int
    fewest_coins: int
    made_coins: tuple[str, ...]
    """Of a market that is made; as many as it would be shown of a real one."""


async def tried(anew: Callable[[], Algorithm], prices: Callable[[Wanted], Awaitable[Frame]]) -> Trial:
    """`anew` gives algorithms that have met nothing yet. What making one refuses is refused here, too."""
    broken, wanted = await apart(_kept, anew)
    return Trial(broken) if wanted is None else await apart(_decided, anew, await prices(wanted))


def _kept(anew: Callable[[], Algorithm]) -> tuple[tuple[str, ...], Wanted | None]:
    with closing(anew()) as algorithm:
        algorithm.check_together()
        broken = tuple(findings(algorithm))
        if broken:
            return broken, None
        return (), Wanted(bars_for(algorithm), algorithm.fewest_coins, coins_for(algorithm))


def _decided(anew: Callable[[], Algorithm], frame: Frame) -> Trial:
    try:
        with closing(anew()) as algorithm:
            ahead = tuple(lookahead.of_algorithm(algorithm, frame, cuts=_CUTS))
        return Trial((), ahead, decided_in_pieces(anew, frame, seed=secrets.randbits(64)))
    except Refused as reason:
        # It could decide on prices that were made, and cannot on these.
        return Trial((f"predict: {reason}",))
