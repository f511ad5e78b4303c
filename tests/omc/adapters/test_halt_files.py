"""Halts as files: any hand can make one, whatever it says counts, and none is lost to another."""

import errno
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omc.adapters.halt_files import FolderHaltFiles
from omc.errors import Unavailable
from omc.risk.halt_files import HaltFiles, MemoryHaltFiles, ResetAsked
from omc.risk.kill_switch import Halt, HaltLevel, HaltScope

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
ME, OURS = UUID(int=7), UUID(int=8)
PLACES = {"platform": (None, None), "account": (ME, None), "deployment": (ME, OURS)}


@pytest.fixture(params=["memory", "folder"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> HaltFiles:
    return MemoryHaltFiles() if request.param == "memory" else FolderHaltFiles(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> FolderHaltFiles:
    return FolderHaltFiles(tmp_path)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("level", list(HaltLevel))
async def test_a_halt_is_there_as_it_was_tripped(files, place, level):
    assert files.on() == []
    assert files.mark(place) is None
    halt = Halt(place[0], NOON, 'a "bad" feeling\n…', level, place[1])
    assert await files.trip(halt) == halt
    assert files.on() == [halt]
    assert await files.reset(place, files.mark(place) or "")
    assert files.on() == []


async def test_tripping_again_keeps_the_first_unless_the_second_stops_more(files):
    first = Halt(ME, NOON, "first", HaltLevel.ADDING)
    await files.trip(first)
    assert await files.trip(replace(first, reason="second")) == first
    more = replace(first, reason="third", level=HaltLevel.ALL)
    assert await files.trip(more) == more
    assert await files.trip(replace(first, reason="fourth")) == more
    assert files.on() == [more]


async def test_a_reset_takes_away_what_it_has_seen_and_nothing_else(files):
    halt = Halt(ME, NOON, "first")
    await files.trip(halt)
    mark = files.mark((ME, None))
    await files.trip(replace(halt, reason="again"))
    assert await files.reset((ME, None), mark or "") is False
    assert len(files.on()) == 1
    assert await files.reset((ME, None), files.mark((ME, None)) or "")
    assert await files.reset((ME, None), "gone")


def test_a_bare_touch_halts_everything(folder):
    (folder.home / "HALT").touch()
    (halt,) = folder.on()
    assert (halt.scope, halt.level) == (HaltScope.PLATFORM, HaltLevel.ALL)
    assert "HALT" in halt.reason
    assert abs((halt.since - datetime.now(UTC)).total_seconds()) < 3600


@pytest.mark.parametrize("kind", ["folder", "dangling link", "pipe", "unreadable"])
def test_whatever_is_named_so_halts(folder, kind):
    path = folder.home / "HALT"
    match kind:
        case "folder":
            path.mkdir()
        case "dangling link":
            path.symlink_to("nowhere")
        case "pipe":
            os.mkfifo(path)
        case "unreadable":
            path.write_text('{"level": "adding"}')
            path.chmod(0)
    (halt,) = folder.on()
    assert halt.scope is HaltScope.PLATFORM


@given(st.binary(max_size=200), st.sampled_from(sorted(PLACES)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_a_file_halts_its_place(folder: FolderHaltFiles, said: bytes, scope: str):
    place = PLACES[scope]
    folder.folder.mkdir(exist_ok=True)
    path = folder.folder / (".".join(str(each) for each in place if each) or "platform")
    path.write_bytes(said)
    (halt,) = (each for each in folder.on() if each.place == place)
    assert (halt.level, halt.reason) == (HaltLevel.ALL, "a file says so")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{",
        "[]",
        '{"level": "some"}',
        '{"since": 5}',
        '{"reason": null, "since": "noon"}',
        '{"since": "2025-01-01"}',
    ],
)
async def test_what_says_less_than_it_should_stops_everything(folder, said):
    folder.folder.mkdir()
    (folder.folder / str(ME)).write_text(said)
    (halt,) = folder.on()
    assert (halt.user_id, halt.level) == (ME, HaltLevel.ALL)
    told = await folder.trip(Halt(ME, NOON, "said again"))
    assert folder.on() == [told]


@pytest.mark.parametrize("name", ["PLATFORM", "me", f"{ME}.us", f".{ME}"[1:] + ".", "a b"])
def test_a_name_that_means_nothing_halts_everything(folder, name):
    folder.folder.mkdir()
    (folder.folder / name).touch()
    (halt,) = folder.on()
    assert halt.scope is HaltScope.PLATFORM
    assert name in halt.reason


def test_a_home_that_cannot_be_seen_halts_everything(folder, monkeypatch):
    def fails(*_: object) -> list[str]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("omc.adapters.halt_files.os.listdir", fails)
    (halt,) = folder.on()
    assert halt.scope is HaltScope.PLATFORM
    assert "Input/output error" in halt.reason


async def test_files_are_their_owners_alone_and_nothing_unfinished_is_left(folder):
    await folder.trip(Halt(ME, NOON, "enough"))
    assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.folder / str(ME)).stat().st_mode) == 0o600
    assert {each.name for each in folder.folder.iterdir()} == {str(ME), ".lock"}


async def test_a_disk_without_room_for_words_still_halts(folder, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("omc.adapters.halt_note.json.dump", lambda *_: full(0))
    await folder.trip(Halt(ME, NOON, "enough"))
    (halt,) = folder.on()
    assert (halt.user_id, halt.level) == (ME, HaltLevel.ALL)


async def test_a_file_that_cannot_be_written_says_so(folder):
    folder.folder.write_text("no folder")
    with pytest.raises(Unavailable, match="the halt cannot be written to"):
        await folder.trip(Halt(ME, NOON, "enough"))


async def test_a_disk_without_any_room_says_so(folder, monkeypatch):
    opened = os.open

    def full(path: object, flags: int, *mode: int, **where: object) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, flags, *mode, **where)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr("omc.adapters.halt_files.os.open", full)
    with pytest.raises(Unavailable, match="No space left"):
        await folder.trip(Halt(ME, NOON, "enough"))


async def test_settings_halt_whatever_the_files_say(tmp_path):
    files = FolderHaltFiles(tmp_path, always="it was started so")
    (halt,) = files.on()
    assert (halt.scope, halt.reason) == (HaltScope.PLATFORM, "it was started so")
    assert await files.reset((None, None), "")
    assert files.on() == [halt]


async def test_a_hands_own_file_is_reset_with_the_platform(folder):
    (folder.home / "HALT").touch()
    await folder.trip(Halt(None, NOON, "too"))
    assert await folder.reset((None, None), folder.mark((None, None)) or "")
    assert folder.on() == []


async def test_a_reset_is_asked_for_by_a_file_and_is_no_halt(folder):
    assert folder.reset_asked() is None
    folder.folder.mkdir()
    said = {"by": "root", "reason": "over", "at": NOON.isoformat(), "seen": {"halts/platform": "1:2"}}
    (folder.folder / "reset.request").write_text(json.dumps(said))
    assert folder.reset_asked() == ResetAsked("root", "over", NOON, '{"halts/platform": "1:2"}')
    assert folder.on() == []
    await folder.reset_done("")
    assert folder.reset_asked() is None


async def test_a_reset_that_says_not_what_it_means_means_nothing_that_is_there(folder):
    await folder.trip(Halt(None, NOON, "enough"))
    (folder.folder / "reset.request").write_text('{"by": "ro\\u0000ot", "at": "9999-12-31T23:59:59-12:00", "seen": 5}')
    asked = folder.reset_asked()
    assert (asked.by, asked.at) == ("root", EPOCH)
    assert folder.nothing_but((None, None), asked.mark) is False


async def test_a_mark_means_what_was_there_and_nothing_that_came_later(files):
    place = None, None
    assert files.nothing_but(place, None)
    await files.trip(Halt(None, NOON, "first"))
    mark = files.mark(place)
    assert files.nothing_but(place, mark)
    assert not files.nothing_but(place, None)
    await files.trip(Halt(None, NOON, "first"))
    assert not files.nothing_but(place, mark)
    assert await files.reset(place, files.mark(place) or "")
    assert files.nothing_but(place, mark)
    await files.reset_done("something else halts it")


async def test_a_hand_that_halts_after_a_mark_was_taken_is_not_meant(folder):
    await folder.trip(Halt(None, NOON, "first"))
    mark = folder.mark((None, None))
    (folder.home / "HALT").touch()
    assert not folder.nothing_but((None, None), mark)
    assert await folder.reset((None, None), mark or "") is False
    assert len(folder.on()) == 2


@pytest.mark.parametrize("name", ["platform~", "platform.bak", "me", "a b"])
async def test_what_names_nobody_is_reset_with_the_platform(folder, name):
    folder.folder.mkdir()
    (folder.folder / name).touch()
    assert await folder.reset((None, None), folder.mark((None, None)) or "")
    assert folder.on() == []


async def test_a_users_id_in_capitals_is_that_users(folder):
    folder.folder.mkdir()
    user = UUID(int=0xABC)
    (folder.folder / str(user).upper()).touch()
    (halt,) = folder.on()
    assert halt.place == (user, None)
    assert await folder.reset(halt.place, folder.mark(halt.place) or "")
    assert folder.on() == []


@pytest.mark.parametrize("said", ["", "{", '{"since": "2025-01-01T00:00:00+00:00"}'])
async def test_what_stops_everything_without_saying_why_is_not_weakened(folder, said):
    folder.folder.mkdir()
    (folder.folder / str(ME)).write_text(said)
    told = await folder.trip(Halt(ME, NOON, "carefully", HaltLevel.ADDING))
    assert (told.level, told.reason) == (HaltLevel.ALL, "carefully")
    assert folder.on() == [told]


@pytest.mark.parametrize(
    "said",
    [
        {"reason": "a\0b\ud800\x1b[31m"},
        {"reason": "x" * 9_000},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"since": "9999-12-31T23:59:59-12:00"},
        {"since": "2999-01-01T00:00:00+00:00"},
    ],
    ids=["no text", "long", "before all time", "after all time", "to come"],
)
def test_nonsense_is_read_as_what_can_be_stored(folder, said):
    folder.folder.mkdir()
    (folder.folder / str(ME)).write_text(json.dumps(said))
    (halt,) = folder.on()
    assert halt.level is HaltLevel.ALL
    assert halt.reason.encode().isascii()
    assert "\0" not in halt.reason
    assert len(halt.reason) <= 500
    assert EPOCH <= halt.since <= datetime.now(UTC) + timedelta(days=1)


def test_a_file_of_another_age_halts(folder):
    path = folder.home / "HALT"
    path.touch()
    os.utime(path, (-5e9, -5e9))
    (halt,) = folder.on()
    assert halt.since == EPOCH


@pytest.mark.parametrize(
    "halts", [MemoryHaltFiles(), FolderHaltFiles(Path("/nowhere/at/all"))], ids=["memory", "folder"]
)
def test_where_nothing_is_nobody_is_halted(halts):
    assert (halts.on(), halts.mark((None, None)), halts.reset_asked()) == ([], None, None)
