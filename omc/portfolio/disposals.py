"""What was disposed of: sales matched with the parcels that they came from."""

from collections.abc import Iterable
from uuid import UUID

from omc.portfolio.counted import Owned, in_order
from omc.portfolio.lots import Disposal, Lots


def disposals(fills: Iterable[Owned], *, pooled: bool = False) -> list[tuple[UUID, Disposal]]:
    """Every disposal with the deployment that sold, oldest first. `fills` may come in any order, and twice.

    A deployment sells what it has bought itself: its records tell its parcels from others'. `pooled` matches over all
    of them instead, as for an owner who keeps no such records.
    """
    held: dict[tuple[UUID | None, str], Lots] = {}
    sold: list[tuple[UUID, Disposal]] = []
    for owner, fill in in_order(fills):
        lots = held.setdefault((None if pooled else owner, fill.coin), Lots(fill.coin))
        sold += [(owner, disposal) for disposal in lots.apply(fill)]
    return sold
