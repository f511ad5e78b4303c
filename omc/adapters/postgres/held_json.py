"""What an order could be, and a comparison of books, as jsonb and back: money as text, times with their zone."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from omc.trading.fill import Fill, Side
from omc.trading.floor import Reconciliation
from omc.trading.listed import ListedOrder
from omc.trading.reconciliation.matching import Match


def match_of(said: Mapping[str, Any]) -> Match:
    working = said["working"]
    return Match(
        venue_order_id=said["venue_order_id"],
        fills=tuple(_fill(each) for each in said["fills"]),
        working=_working(working) if working else None,
    )


def reconciliation_of(said: Mapping[str, Any]) -> Reconciliation:
    return Reconciliation(
        deployment_id=UUID(said["deployment_id"]),
        compared_at=datetime.fromisoformat(said["compared_at"]),
        ours=amounts_of(said["ours"]),
        venue=amounts_of(said["venue"]),
        differences=tuple(said["differences"]),
        account=said["account"],
        external=amounts_of(said["external"]),
        told=tuple(said["told"]),
        waiting=tuple(said["waiting"]),
        closed=said["closed"],
        unread=said.get("unread"),
    )


def json_of(value: Match | Reconciliation) -> dict[str, Any]:
    return asdict(value)


def amounts_of(said: Mapping[str, str]) -> dict[str, Decimal]:
    """Money by coin."""
    return {coin: Decimal(amount) for coin, amount in said.items()}


def _fill(said: Mapping[str, Any]) -> Fill:
    amounts = {name: Decimal(said[name]) for name in ("quantity", "total_aud", "fee_aud")}
    executed_at = datetime.fromisoformat(said["executed_at"])
    return Fill(fill_id=said["fill_id"], coin=said["coin"], side=Side(said["side"]), executed_at=executed_at, **amounts)


def _working(said: Mapping[str, Any]) -> ListedOrder:
    amounts = {name: Decimal(said[name]) for name in ("quantity", "price_aud")}
    return ListedOrder(venue_order_id=said["venue_order_id"], coin=said["coin"], side=Side(said["side"]), **amounts)
