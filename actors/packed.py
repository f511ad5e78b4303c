"""Quotes as they travel from the collector to whoever waits for them: written once, read by each."""

import pickle
from dataclasses import dataclass, field

from omc.ledger.exchange import QuotesSeen
from omc.market.quote import QuoteBoard


@dataclass(slots=True)
class Packed:
    """The newest bar and the newest other board, as bytes. Ray would write them anew for each of hundreds of callers,
    and 500 coins take it a millisecond; bytes it copies."""

    _written: dict[bool, tuple[QuoteBoard, bytes]] = field(default_factory=dict)

    def of(self, seen: QuotesSeen) -> bytes:
        known = self._written.get(seen.bar)
        if known is None or known[0] is not seen.board:
            known = self._written[seen.bar] = (seen.board, pickle.dumps(seen, pickle.HIGHEST_PROTOCOL))
        return known[1]


def unpacked(written: bytes | None) -> QuotesSeen | None:
    """What `Packed.of` wrote in an actor of ours."""
    return None if written is None else pickle.loads(written)  # noqa: S301 - an actor of ours wrote it
