"""Where orders go: what a venue can do and what it costs, before anything is traded there."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from omc.errors import NotFound
from omc.market.terms import OrderKind
from omc.trading.capability import Capability, VenueFacts, table
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.wire import Money


class CapabilityOut(BaseModel):
    """`means` is what having it, or lacking it, comes to for whoever trades there."""

    name: str
    has: bool
    means: str

    @classmethod
    def of(cls, row: Capability) -> Self:
        return cls(name=row.name, has=row.has, means=row.means)


class TermsOut(BaseModel):
    """Fees in hundredths of a percent of what is traded. Coins that are not `market_coins` are traded instantly."""

    market_fee_bps: int
    instant_fee_bps: int
    min_order_aud: Money
    market_coins: list[str]


class LiveOut(BaseModel):
    """`refusal` says why no real money is traded there; null where it may be."""

    available: bool
    refusal: str | None


class VenueOut(BaseModel):
    name: str
    exchange_url: str | None
    live: LiveOut
    terms: TermsOut
    capabilities: list[CapabilityOut]

    @classmethod
    def of(cls, facts: VenueFacts) -> Self:
        terms = facts.terms
        return cls(
            name=facts.name,
            exchange_url=facts.exchange_url,
            live=LiveOut(available=facts.live_refusal is None, refusal=facts.live_refusal),
            terms=TermsOut(
                market_fee_bps=terms.fee_bps_of(OrderKind.MARKET),
                instant_fee_bps=terms.fee_bps_of(OrderKind.INSTANT),
                min_order_aud=terms.min_order_aud,
                market_coins=sorted(terms.market_coins),
            ),
            capabilities=[CapabilityOut.of(row) for row in table(facts.capabilities)],
        )


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/venues", tags=["venues"], dependencies=[Depends(bearer)])

    @router.get("")
    async def venues(query: Annotated[Paging, Query()]) -> Page[VenueOut]:
        """By name."""
        return Page.cut([VenueOut.of(facts) for _, facts in sorted(ports.venues.items())], query)

    @router.get("/{venue}")
    async def venue(venue: Annotated[str, Path(max_length=50)]) -> Success[VenueOut]:
        """What it can do, what each gap means, and what it costs."""
        facts = ports.venues.get(venue)
        if facts is None:
            raise NotFound(f"there is no venue {venue!r} here")
        return Success(data=VenueOut.of(facts))

    return router
