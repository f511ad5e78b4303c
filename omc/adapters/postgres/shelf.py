"""The four ledgers in PostgreSQL, to be read newest first: a page is a walk down an index, however deep it lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row

from omc.adapters.postgres.database import Database
from omc.ledger.shelf import SCHEMAS, Ledger, Place, Record, Wanted
from omc.market.money import from_grid


@dataclass(frozen=True, slots=True)
class _Source:
    """A table that a ledger is made of. `time` is the column by which it is ordered, `name` tells apart what is of one
    moment, `about` is the condition for what a record is about."""

    table: str
    columns: str
    about: str
    time: str = "seen_time"
    source: str = "source"
    name: str = "id::text"


_REVISED = "event_time AS event_at, seen_time AS observed_at, source, published_time AS published_at, revision"
_FEELING = f"{_REVISED}, source_id, title, url, coins, sentiment_score, sentiment_label"
_NAMES_IT = "coins @> ARRAY[CAST(:about AS text)]"
_SOURCES: Mapping[Ledger, tuple[_Source, ...]] = MappingProxyType(
    {
        "glass": (
            _Source("protocol_fundamentals", f"{_REVISED}, protocol, chain, metric, value", "protocol = :about"),
        ),
        "human": (
            _Source("news_sentiment", f"'news' AS kind, {_FEELING}", _NAMES_IT),
            _Source("social_sentiment", f"'social' AS kind, {_FEELING}", _NAMES_IT),
        ),
        "catalyst": (
            _Source("catalyst_events", f"{_REVISED}, type, priority, source_id, title, url, coins", _NAMES_IT),
        ),
        # What is indexed is the time of the bar, which is the time at which it was seen.
        "exchange": (
            _Source(
                "price_data_5min",
                "timestamp AS event_at, seen_time AS observed_at, venue AS source, coin_type AS coin, bid, ask, last",
                "coin_type = :about",
                time="timestamp",
                source="venue",
                name="coin_type || ' ' || venue",
            ),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class PostgresShelf:
    """A LedgerShelf."""

    database: Database

    async def newest(
        self, ledger: Ledger, wanted: Wanted, before: Place | None, offset: int, most: int
    ) -> Sequence[Record]:
        parts = [_newest(each, wanted, before) for each in _SOURCES[ledger]]
        together = " UNION ALL ".join(parts)
        statement = (
            f"SELECT * FROM ({together}) AS found"  # noqa: S608 - of our own pieces
            f" ORDER BY place_time DESC, place_name DESC OFFSET :offset LIMIT :most"
        )
        values = _values(wanted, before) | {"offset": offset, "most": most, "deep": offset + most}
        async with self.database.look() as connection:
            rows = (await connection.execute(text(statement), values)).all()
        return [_record(ledger, row) for row in rows]

    async def count(self, ledger: Ledger, wanted: Wanted, most: int) -> int:
        parts = [
            f"(SELECT 1 FROM {each.table} {_where(each, wanted, None)} LIMIT :most)"  # noqa: S608 - of our own pieces
            for each in _SOURCES[ledger]
        ]
        statement = f"SELECT least(count(*), :most) FROM ({' UNION ALL '.join(parts)}) AS found"  # noqa: S608 - the same
        async with self.database.look() as connection:
            counted = await connection.execute(text(statement), _values(wanted, None) | {"most": most})
        return int(counted.scalar_one())


def _newest(source: _Source, wanted: Wanted, before: Place | None) -> str:
    name = f'({source.name}) COLLATE "C"'
    return (
        f"(SELECT {source.time} AS place_time, {name} AS place_name, {source.columns}"  # noqa: S608 - our own pieces
        f" FROM {source.table} {_where(source, wanted, before)}"
        f" ORDER BY {source.time} DESC, {name} DESC LIMIT :deep)"
    )


def _where(source: _Source, wanted: Wanted, before: Place | None) -> str:
    """Only what is asked for stands there, so that the plan is made for it."""
    conditions = {
        source.about: wanted.about,
        f"{source.source} = :source": wanted.source,
        f"{source.time} >= :start": wanted.start,
        f"{source.time} <= :end": wanted.end,
        f'{source.time} <= :time AND ({source.time} < :time OR ({source.name}) COLLATE "C" < :name)': before,
    }
    asked = [condition for condition, value in conditions.items() if value is not None]
    return f"WHERE {' AND '.join(asked)}" if asked else ""


def _values(wanted: Wanted, before: Place | None) -> dict[str, Any]:
    given = {"about": wanted.about, "source": wanted.source, "start": wanted.start, "end": wanted.end}
    place = {"time": before.time, "name": before.name} if before else {}
    return {name: value for name, value in (given | place).items() if value is not None}


def _record(ledger: Ledger, row: Row[Any]) -> Record:
    found = row._asdict()
    place = Place(found["place_time"], found["place_name"])
    return Record(place, {name: _value(kind, found[name]) for name, kind in SCHEMAS[ledger].items()})


def _value(kind: str, value: Any) -> Any:
    match kind:
        case "texts":
            return tuple(value)
        case "money":
            return from_grid(value)
        case _:
            return value
