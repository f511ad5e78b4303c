"""The ledgers as they are read, alike in PostgreSQL and in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from omc.adapters.postgres.catalysts import PostgresCatalysts
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.prices import PostgresPrices
from omc.adapters.postgres.shelf import PostgresShelf
from omc.ledger.catalyst import Catalyst
from omc.ledger.shelf import SCHEMAS, Ledger, LedgerShelf, MemoryShelf, Place, Record, Wanted
from omc.market.quote import Quote, QuoteBoard

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
EVERYTHING = Wanted()
_GLASS = text("""
    INSERT INTO protocol_fundamentals (protocol, chain, metric, value, source, event_time, published_time, seen_time)
    VALUES (:protocol, :chain, :metric, :value, :source, :event_at, :published_at, :observed_at)
""")
_HUMAN = """
    INSERT INTO {}_sentiment (
        title, url, coins, sentiment_score, sentiment_label, source_id, source, event_time, published_time, seen_time
    ) VALUES (
        :title, :url, :coins, :sentiment_score, :sentiment_label, :source_id, :source, :event_at, :published_at,
        :observed_at
    )
"""


@dataclass
class Library:
    """A shelf, and a way to put records there."""

    shelf: LedgerShelf
    database: Database | None = None
    put: int = field(default=0)

    async def add(self, ledger: Ledger, at: int, **values: object) -> None:
        """A record that was observed `at` minutes after noon."""
        self.put += 1
        time = NOON + timedelta(minutes=at)
        known = {"event_at": time - timedelta(minutes=3), "observed_at": time, "source": "a"}
        if ledger == "exchange":
            known |= {"event_at": time, "source": "coinspot", "bid": Decimal(1), "ask": Decimal(3), "last": Decimal(2)}
        else:
            known |= {"published_at": None, "revision": 0, "source_id": str(self.put), "title": "t", "url": None}
            known |= {
                "coins": (),
                "chain": "",
                "metric": f"m{self.put}",
                "value": 1.5,
                "type": "listing",
                "priority": "normal",
            }
            known |= {"kind": "news", "sentiment_score": None, "sentiment_label": None}
        known |= values
        row = {name: known[name] for name in SCHEMAS[ledger]}
        if isinstance(self.shelf, MemoryShelf):
            name = f"{row['coin']} coinspot" if ledger == "exchange" else str(self.put)
            self.shelf.records.setdefault(ledger, []).append(Record(Place(time, name), row))
        else:
            await self._store(ledger, time, row)

    async def _store(self, ledger: Ledger, time: datetime, row: dict) -> None:
        if ledger == "exchange":
            quote = Quote(row["coin"], row["bid"], row["ask"], row["last"])
            await PostgresPrices(self.database).append(QuoteBoard(time, {quote.coin: quote}))
        elif ledger == "catalyst":
            told = {name: row[name] for name in ("type", "title", "coins", "source", "source_id", "priority", "url")}
            event = Catalyst(**told, event_time=row["event_at"], seen_time=time)
            await PostgresCatalysts(self.database).record([event])
        else:
            statement = _GLASS if ledger == "glass" else text(_HUMAN.format(row["kind"]))
            async with self.database.transaction() as connection:
                await connection.execute(statement, {**row, "coins": list(row.get("coins", ()))})

    async def minutes(self, ledger: Ledger, wanted=EVERYTHING, before=None, offset=0, most=100) -> list[int]:
        found = await self.shelf.newest(ledger, wanted, before, offset, most)
        return [int((each.place.time - NOON).total_seconds() // 60) for each in found]


@pytest.fixture
def library(kind: str, request: pytest.FixtureRequest) -> Library:
    if kind == "memory":
        return Library(MemoryShelf())
    database = request.getfixturevalue("fresh_database")
    return Library(PostgresShelf(database), database)


ABOUT = {
    "glass": ({"protocol": "aave"}, {"protocol": "lido"}, "aave"),
    "human": ({"coins": ("BTC", "ETH")}, {"coins": (), "kind": "social"}, "ETH"),
    "catalyst": ({"coins": ("BTC", "ETH")}, {"coins": ("XRP",)}, "ETH"),
    "exchange": ({"coin": "ETH"}, {"coin": "BTC"}, "ETH"),
}


@pytest.mark.parametrize("ledger", list(SCHEMAS))
async def test_records_come_newest_first_and_by_what_is_wanted(library: Library, ledger: Ledger):
    assert await library.minutes(ledger) == []
    assert await library.shelf.count(ledger, EVERYTHING, 10) == 0
    one, other, about = ABOUT[ledger]
    for at in (1, 4, 2):
        await library.add(ledger, at, **one)
    for at in (3, 5):
        await library.add(ledger, at, **other)
    assert await library.minutes(ledger) == [5, 4, 3, 2, 1]
    assert await library.minutes(ledger, Wanted(about=about)) == [4, 2, 1]
    since = Wanted(start=NOON + timedelta(minutes=2), end=NOON + timedelta(minutes=4))
    assert await library.minutes(ledger, since) == [4, 3, 2]
    assert await library.minutes(ledger, Wanted(source="nobody")) == []
    assert await library.minutes(ledger, offset=1, most=2) == [4, 3]
    assert await library.minutes(ledger, most=0) == []
    assert await library.shelf.count(ledger, EVERYTHING, 10) == 5
    assert await library.shelf.count(ledger, EVERYTHING, 4) == 4
    assert await library.shelf.count(ledger, Wanted(about=about), 10) == 3


@pytest.mark.parametrize("ledger", list(SCHEMAS))
async def test_going_on_from_a_record_gives_each_once_though_many_are_of_one_moment(library: Library, ledger: Ledger):
    one, other, _ = ABOUT[ledger]
    for at in (1, 2, 2, 2, 3) if ledger != "exchange" else (1, 2, 3):
        await library.add(ledger, at, **one)
        await library.add(ledger, at, **other)
    places, before = [], None
    while found := await library.shelf.newest(ledger, EVERYTHING, before, 0, 3):
        places += [each.place for each in found]
        before = places[-1]
    assert len(places) == len(set(places)) == library.put
    assert [(each.time, each.name) for each in places] == sorted([(p.time, p.name) for p in places], reverse=True)


async def test_a_record_says_what_was_recorded(library: Library):
    published = NOON - timedelta(minutes=1)
    told = {"title": "Up", "url": "https://example.org", "coins": ("BTC",), "source_id": "x", "published_at": published}
    await library.add("human", 1, kind="social", sentiment_score=0.25, sentiment_label="bullish", **told)
    [record] = await library.shelf.newest("human", EVERYTHING, None, 0, 1)
    assert record.values == {
        "event_at": NOON - timedelta(minutes=2),
        "observed_at": NOON + timedelta(minutes=1),
        "source": "a",
        "published_at": published,
        "revision": 0,
        "kind": "social",
        "source_id": "x",
        "title": "Up",
        "url": "https://example.org",
        "coins": ("BTC",),
        "sentiment_score": 0.25,
        "sentiment_label": "bullish",
    }
    await library.add("exchange", 1, coin="SHIB", bid=Decimal("0.00000001"), last=Decimal("0.12345678"))
    [quote] = await library.shelf.newest("exchange", EVERYTHING, None, 0, 1)
    assert (quote.values["bid"], quote.values["last"]) == (Decimal("0.00000001"), Decimal("0.12345678"))
