"""Rows and files beside them: either suffices to halt, and a reset ends both or neither."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.risk.flag import DurableFlag
from omc.risk.halt_files import MemoryHaltFiles
from omc.risk.kill_switch import Halt, MemoryKillSwitch

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
OWNER = uuid4()


class Gone(MemoryKillSwitch):
    """Rows that cannot be written."""

    async def trip(self, *_: object, **__: object) -> Halt:
        raise Unavailable("the database cannot be reached")


@dataclass
class Full(MemoryHaltFiles):
    """A folder that takes no file."""

    async def trip(self, halt: Halt) -> Halt:
        raise Unavailable("the disk is full")


def flag(rows: MemoryKillSwitch | None = None, files: MemoryHaltFiles | None = None) -> DurableFlag:
    return DurableFlag(rows or MemoryKillSwitch(NOON), files or MemoryHaltFiles(), ManualClock(NOON))


@pytest.mark.parametrize("made", [flag(rows=Gone(NOON)), flag(files=Full())], ids=["rows are gone", "files are gone"])
async def test_a_halt_holds_with_either_half_gone(made: DurableFlag) -> None:
    await made.trip(OWNER, "too hot")
    assert (await made.halted(OWNER)) is not None
    assert (await made.halted(uuid4())) is None


async def test_a_halt_that_nobody_could_write_is_told_and_not_pretended() -> None:
    made = flag(Gone(NOON), Full())
    with pytest.raises(Unavailable, match="the disk is full; the database cannot be reached"):
        await made.trip(OWNER, "too hot")


async def test_a_reset_ends_the_row_and_the_file() -> None:
    made = flag()
    await made.trip(OWNER, "too hot")
    ended = await made.reset(OWNER, by="its owner")
    assert ended is not None
    assert (await made.on(), made.files.on(), await made.rows.on()) == ([], [], [])


async def test_a_halt_in_a_file_that_began_after_the_moment_that_was_meant_stays() -> None:
    made = flag()
    await made.files.trip(Halt(OWNER, NOON, "again"))
    assert await made.reset(OWNER, until=NOON - timedelta(seconds=1)) is None
    assert (await made.halted(OWNER)) is not None
    assert await made.reset(OWNER, until=NOON) is not None
    assert await made.halted(OWNER) is None
