"""Stored prices over HTTP: every bar of a stretch of time by the clock, as a quote or a candle, and gaps marked."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from omc.errors import InvalidInput, NotFound
from omc.feature.bars import Grid
from omc.feature.table import CsvWriter, MakeWriter
from omc.ledger.exchange import PriceArchive
from serve_apps.cursor import CursorPaging, Moment, cursor_of, state_of
from serve_apps.entity import cached, entity_tag, not_modified
from serve_apps.identity import Bearer
from serve_apps.negotiation import TABLES, Form, Liking
from serve_apps.price_bars import EVERY_QUOTE, INTERVALS, BarPage, Bars, Interval, schema_of
from serve_apps.table_answer import table_answer
from serve_apps.wire import Body, Closing, Opening, Ticker

# Without a start, about as many bars as one large page holds.
_BARS_BY_DEFAULT = 200
# What lies behind the newest quote changes only when a history is brought in.
_NEWEST_S, _PAST_S = 5, 60


class PriceQuery(CursorPaging):
    """Bars that any moment from `start` to `end` lies in, as far as prices are stored. Without `end`, up to the newest
    stored price; without `start`, the 200 bars before the end. CSV and Arrow take no page: they hold all of it."""

    coin: Ticker
    start: Opening | None = None
    end: Closing | None = None
    interval: Interval = "5m"
    format: Form | None = None

    def check_together(self) -> None:
        super().check_together()
        if self.start is not None and self.end is not None and self.start > self.end:
            raise InvalidInput("start lies after end")

    @property
    def question(self) -> dict[str, Any]:
        """What a cursor goes with."""
        return self.model_dump(include={"coin", "start", "end", "interval", "per_page"})


class Reached(Body):
    """What a cursor holds: all the bars that there were, and how many of them have been shown."""

    first: Moment
    last: Moment
    offset: int = Field(ge=0, le=EVERY_QUOTE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The bars that a request is about, and from which of them on a page shows them."""

    bars: Bars
    offset: int
    max_age_s: int


def routes(path: str, archive: PriceArchive, arrow: MakeWriter, bearer: Bearer) -> APIRouter:
    """The same prices at whichever path."""
    router = APIRouter(tags=["data"])

    @router.get(path, response_model=BarPage, responses=TABLES)
    async def prices(
        _: Annotated[UUID, Depends(bearer)],
        query: Annotated[PriceQuery, Query()],
        liking: Annotated[Liking, Depends()],
    ) -> Response:
        """One coin's prices, oldest first: quotes every five minutes, or candles made of them.

        Every bar from the first to the last stored price is there, those without a quote as gaps, so a page covers the
        same time however deep it lies. With `Accept: text/csv` or `application/vnd.apache.arrow.stream`, or `format`,
        all bars come in one answer.
        """
        query.check_together()
        form = liking.form(query.format)
        if form != "json" and query.model_fields_set & {"page", "per_page", "cursor"}:
            raise InvalidInput("CSV and Arrow hold everything in one answer: they have no pages")
        asked = await _asked(archive, query)
        bars, grid = asked.bars, asked.bars.grid
        part = grid.part(asked.offset, query.per_page) if form == "json" else grid
        tag = entity_tag(form, query.question, part, grid, asked.offset, await bars.count(part))
        if (same := not_modified(liking.if_none_match, tag, asked.max_age_s)) is not None:
            return same
        headers = cached(tag, asked.max_age_s)
        if form == "json":
            page = await _page(asked, part, query)
            return Response(page.model_dump_json(), headers=headers, media_type="application/json")
        writer = (CsvWriter if form == "csv" else arrow)(schema_of(grid))
        return await table_answer(bars.pieces(), writer, form, f"{bars.coin}-{query.interval}", headers)

    return router


async def _asked(archive: PriceArchive, query: PriceQuery) -> Asked:
    spans = await archive.spans([query.coin])
    if query.coin not in spans:
        raise NotFound(f"no prices of {query.coin} are stored")
    oldest, newest = spans[query.coin]
    interval = INTERVALS[query.interval]
    if query.cursor is not None:
        state = state_of(query.cursor, query.question, Reached)
        grid, offset = Grid.over(state.first, state.last, interval), state.offset
    else:
        # A played tape has its own time, before ours or after it: the newest price says what time it is.
        end = query.end or newest
        start = query.start or end - _BARS_BY_DEFAULT * interval
        if start > end:
            raise InvalidInput("start lies after the newest stored price, and there is no end")
        grid, offset = Grid.over(max(start, oldest), min(end, newest), interval), query.offset
    past = grid.last_moment < newest
    return Asked(Bars(archive, query.coin, grid), min(offset, grid.count), _PAST_S if past else _NEWEST_S)


async def _page(asked: Asked, part: Grid, query: PriceQuery) -> BarPage:
    grid, reached = asked.bars.grid, asked.offset + part.count
    following = None
    if reached < grid.count:
        state = Reached(first=grid.first, last=grid.last_moment, offset=reached)
        following = cursor_of(query.question, state)
    paging = query if query.cursor is None else query.model_copy(update={"page": asked.offset // query.per_page + 1})
    return await asked.bars.page(part, paging, following)
