"""Orders that wait for a person, as they are shown to that person."""

from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from omc.market.money import ZERO
from omc.trading.fill import Fill
from omc.trading.order import Order
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.venue_book import HeldOrder
from serve_apps.wire import Money, Time


class CandidateFill(BaseModel):
    fill_id: str
    quantity: Money
    total_aud: Money
    fee_aud: Money
    executed_at: Time

    @classmethod
    def of(cls, fill: Fill) -> Self:
        return cls(
            fill_id=fill.fill_id,
            quantity=fill.quantity,
            total_aud=fill.total_aud,
            fee_aud=fill.fee_aud,
            executed_at=fill.executed_at,
        )


class Candidate(BaseModel):
    """One thing at the venue. `open_quantity` is what still works of it."""

    venue_order_id: str | None
    fills: list[CandidateFill]
    open_quantity: Money

    @classmethod
    def of(cls, match: Match) -> Self:
        return cls(
            venue_order_id=match.venue_order_id,
            fills=[CandidateFill.of(each) for each in match.fills],
            open_quantity=match.working.quantity if match.working else ZERO,
        )


class HeldOut(BaseModel):
    """An order that could be several things at the venue, or none: its coin waits until a person says."""

    order_id: UUID
    client_order_id: str
    deployment_id: UUID
    coin: str
    side: Literal["buy", "sell"]
    quantity: Money
    held_at: Time
    candidates: list[Candidate]

    @classmethod
    def of(cls, held: HeldOrder, order: Order) -> Self:
        return cls(
            order_id=held.order_id,
            client_order_id=held.client_order_id,
            deployment_id=held.deployment_id,
            coin=order.intent.coin,
            side=order.intent.side.value,
            quantity=order.intent.quantity,
            held_at=held.held_at,
            candidates=[Candidate.of(each) for each in held.candidates],
        )
