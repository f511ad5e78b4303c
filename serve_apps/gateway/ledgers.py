"""What is recorded in the four ledgers, newest first."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from omc.errors import InvalidInput
from omc.feature.table import Columns, CsvWriter, columns_of
from omc.ledger.shelf import SCHEMAS, Ledger, LedgerShelf, Place, Wanted
from serve_apps.cursor import CursorPage, CursorPaging, Moment, cursor_of, state_of
from serve_apps.entity import cached, entity_tag, not_modified
from serve_apps.envelope import T
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.negotiation import TABLES, Form, Liking
from serve_apps.table_answer import table_answer
from serve_apps.wire import Body, Closing, Line, Metric, Money, Opening, Ticker, Time

_COUNTED = 10_000
"""Counting costs what is counted, so it ends here; a cursor leads on."""
_PIECE = 5_000
_MAX_AGE_S = 5


class LedgerQuery(CursorPaging):
    """`start` and `end` are of `observed_at`, both included. CSV and Arrow take no page: they hold all of it."""

    source: Line | None = None
    start: Opening | None = None
    end: Closing | None = None
    format: Form | None = None

    def check_together(self) -> None:
        super().check_together()
        if self.start is not None and self.end is not None and self.start > self.end:
            raise InvalidInput("start lies after end")

    @property
    def about(self) -> str | None:
        return None


class CoinLedgerQuery(LedgerQuery):
    coin: Ticker | None = None

    @property
    def about(self) -> str | None:
        return self.coin


class GlassQuery(LedgerQuery):
    protocol: Line | None = None

    @property
    def about(self) -> str | None:
        return self.protocol


class ObservedOut(BaseModel):
    """`event_at` is when it happened, `observed_at` from when on we could have acted on it."""

    event_at: Time
    observed_at: Time
    source: str


class RevisedOut(ObservedOut):
    """A source that corrects itself makes another revision, and all of them stay."""

    published_at: Time | None
    revision: int


class GlassOut(RevisedOut):
    """What can be seen on the chains."""

    protocol: str
    chain: str
    metric: str
    value: Metric


class HumanOut(RevisedOut):
    """What people say: `kind` is news or social."""

    kind: str
    source_id: str
    title: str
    url: str | None
    coins: list[str]
    sentiment_score: Metric
    sentiment_label: str | None


class CatalystOut(RevisedOut):
    """What may move a price. Without coins it is about the whole market."""

    type: str
    priority: str
    source_id: str
    title: str
    url: str | None
    coins: list[str]


class ExchangeOut(ObservedOut):
    """A quote as the venue showed it, in AUD."""

    coin: str
    bid: Money
    ask: Money
    last: Money


class LedgerPage(CursorPage[T]):
    """`total` is counted as far as 10,000: where `counted_whole` is false there are more, and `next_cursor` leads to
    them, as page numbers do not."""

    counted_whole: bool = True


class GlassPage(LedgerPage[GlassOut]):
    """Of the glass ledger, newest first."""


class HumanPage(LedgerPage[HumanOut]):
    """Of the human ledger, newest first."""


class CatalystPage(LedgerPage[CatalystOut]):
    """Of the catalyst ledger, newest first."""


class ExchangePage(LedgerPage[ExchangeOut]):
    """Of the exchange ledger, newest first."""


class Reached(Body):
    """What a cursor holds: the record that was shown last, what was counted at first, and which page is next."""

    time: Moment | None
    name: str = Field(max_length=100)
    total: int = Field(ge=0, le=_COUNTED)
    page: int = Field(ge=1, le=2**31 - 1)

    @classmethod
    def begun(cls, total: int, page: int) -> Self:
        return cls(time=None, name="", total=total, page=page)

    @property
    def place(self) -> Place | None:
        return Place(self.time, self.name) if self.time is not None else None


@dataclass(frozen=True, slots=True)
class Reading:
    """One ledger as one request wants it."""

    shelf: LedgerShelf
    ledger: Ledger
    wanted: Wanted

    async def pieces(self) -> AsyncIterator[Columns]:
        before: Place | None = None
        while records := await self.shelf.newest(self.ledger, self.wanted, before, 0, _PIECE):
            yield columns_of(SCHEMAS[self.ledger], [each.values for each in records])
            before = records[-1].place

    async def page(self, query: LedgerQuery, reached: Reached, model: type[LedgerPage[Any]]) -> LedgerPage[Any]:
        """What follows the place that was reached, or the page of the number asked for."""
        offset = query.offset if reached.place is None else 0
        one_more = query.per_page + 1 if offset < _COUNTED else 0
        found = await self.shelf.newest(self.ledger, self.wanted, reached.place, min(offset, _COUNTED), one_more)
        shown, following = found[: query.per_page], None
        if len(found) > len(shown):
            last = shown[-1].place
            state = Reached(time=last.time, name=last.name, total=reached.total, page=reached.page + 1)
            following = cursor_of(_question(self.ledger, query), state)
        paging = query.model_copy(update={"page": reached.page})
        page = model.reaching([each.values for each in shown], reached.total, paging, following)
        return page.model_copy(update={"counted_whole": reached.total < _COUNTED})


def _question(ledger: Ledger, query: LedgerQuery) -> dict[str, Any]:
    """What a cursor goes with."""
    return {"ledger": ledger, **query.model_dump(exclude={"page", "cursor", "format"})}


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/data/ledgers", tags=["data"], dependencies=[Depends(bearer)])

    async def answer(ledger: Ledger, query: LedgerQuery, liking: Liking, model: type[LedgerPage[Any]]) -> Response:
        query.check_together()
        form = liking.form(query.format)
        if form != "json" and query.model_fields_set & {"page", "per_page", "cursor"}:
            raise InvalidInput("CSV and Arrow hold everything in one answer: they have no pages")
        reached = state_of(query.cursor, _question(ledger, query), Reached) if query.cursor is not None else None
        reading = Reading(ports.ledgers, ledger, Wanted(query.about, query.source, query.start, query.end))
        count = await ports.ledgers.count(ledger, reading.wanted, _COUNTED)
        # Records are added and never changed: as long as there are as many, they are the same.
        whole = count < _COUNTED
        tag = entity_tag(form, _question(ledger, query), query.page, query.cursor, count) if whole else None
        if (same := not_modified(liking.if_none_match, tag, _MAX_AGE_S)) is not None:
            return same
        headers = cached(tag, _MAX_AGE_S)
        if form != "json":
            writer = (CsvWriter if form == "csv" else ports.arrow)(SCHEMAS[ledger])
            return await table_answer(reading.pieces(), writer, form, ledger, headers)
        page = await reading.page(query, reached or Reached.begun(count, query.page), model)
        return Response(page.model_dump_json(), headers=headers, media_type="application/json")

    @router.get("/glass", response_model=GlassPage, responses=TABLES)
    async def glass(query: Annotated[GlassQuery, Query()], liking: Annotated[Liking, Depends()]) -> Response:
        """Metrics of protocols on the chains, the newest first, of one `protocol` or all."""
        return await answer("glass", query, liking, GlassPage)

    @router.get("/human", response_model=HumanPage, responses=TABLES)
    async def human(query: Annotated[CoinLedgerQuery, Query()], liking: Annotated[Liking, Depends()]) -> Response:
        """News and social media with their sentiment, the newest first, naming one `coin` or any."""
        return await answer("human", query, liking, HumanPage)

    @router.get("/catalyst", response_model=CatalystPage, responses=TABLES)
    async def catalyst(query: Annotated[CoinLedgerQuery, Query()], liking: Annotated[Liking, Depends()]) -> Response:
        """Events that may move a price, the newest first, naming one `coin` or any."""
        return await answer("catalyst", query, liking, CatalystPage)

    @router.get("/exchange", response_model=ExchangePage, responses=TABLES)
    async def exchange(query: Annotated[CoinLedgerQuery, Query()], liking: Annotated[Liking, Depends()]) -> Response:
        """Quotes as the venue showed them, the newest first, of one `coin` or all."""
        return await answer("exchange", query, liking, ExchangePage)

    return router
