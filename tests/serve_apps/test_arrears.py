"""What the audit trail is owed is written once, in its order, and nobody waits for it."""

import asyncio
from uuid import UUID, uuid4

import pytest

from omc.errors import InvalidInput, Unavailable
from serve_apps.arrears import Arrears, Write

ONE, OTHER = uuid4(), uuid4()
SOON_S, PROMPTLY_S = 0.01, 60.0


class Book:
    """Where names are written, as long as it is open; a name that is being written is written when it opens again."""

    def __init__(self) -> None:
        self.written = asyncio.Queue[str]()
        self.tried = 0
        self.opened = asyncio.Event()
        self.opened.set()
        self.is_away = False

    def entry(self, name: str) -> Write:
        async def write() -> None:
            self.tried += 1
            if self.is_away:
                raise Unavailable("the database is away")
            await self.opened.wait()
            self.written.put_nowait(name)

        return write

    async def next(self, count: int) -> list[str]:
        """What is written next, however long it takes."""
        return [await self.written.get() for _ in range(count)]


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def arrears() -> Arrears:
    return Arrears(again_s=0.001)


async def test_what_can_be_written_at_once_is(book, arrears):
    await arrears.settle(ONE, book.entry("a"), PROMPTLY_S)
    await arrears.owe(ONE, book.entry("b"))
    assert (book.written.qsize(), book.tried) == (2, 2)
    assert await book.next(2) == ["a", "b"]


async def test_what_hangs_is_not_waited_for_and_is_written_once(book, arrears):
    book.opened.clear()
    for name in ("a", "b"):
        await arrears.settle(ONE, book.entry(name), SOON_S)
    assert (book.written.qsize(), book.tried) == (0, 2)
    book.opened.set()
    assert await book.next(2) == ["a", "b"]
    assert book.tried == 2


async def test_what_failed_for_lack_of_a_database_is_tried_until_there_is_one(book, arrears):
    book.is_away = True
    await arrears.settle(ONE, book.entry("a"), PROMPTLY_S)
    book.is_away = False
    assert await book.next(1) == ["a"]


async def test_what_fails_while_it_hangs_is_tried_again(book, arrears):
    hangs = asyncio.Event()

    async def write() -> None:
        if not hangs.is_set():
            await hangs.wait()
            raise Unavailable("the connection was lost")
        book.written.put_nowait("a")

    await arrears.settle(ONE, write, SOON_S)
    hangs.set()
    assert await book.next(1) == ["a"]


async def test_what_can_never_be_written_does_not_keep_the_next_from_being_written(book, arrears, caplog):
    async def write() -> None:
        raise TypeError("this is no entry")

    await arrears.owe(ONE, write)
    await arrears.owe(OTHER, book.entry("a"))
    assert await book.next(1) == ["a"]
    assert f"an entry of account {ONE} is not on record" in caplog.text


async def test_another_fault_is_told_to_whoever_can_hear_it(arrears):
    async def write() -> None:
        raise InvalidInput("this is no entry")

    with pytest.raises(InvalidInput):
        await arrears.settle(ONE, write, PROMPTLY_S)


async def test_one_account_leaves_room_for_the_others(book, caplog):
    arrears = Arrears(again_s=0.001, most_each=2)
    book.is_away = True
    owed: list[tuple[UUID, str]] = [(ONE, "a"), (ONE, "b"), (ONE, "c"), (OTHER, "d")]
    await asyncio.gather(*(arrears.owe(account, book.entry(name)) for account, name in owed))
    book.is_away = False
    assert await book.next(3) == ["a", "b", "d"]
    assert f"an entry of account {ONE} is not written" in caplog.text
    await arrears.owe(ONE, book.entry("e"))
    assert await book.next(1) == ["e"]
