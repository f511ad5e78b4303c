"""A line of the log is one line, says which request it belongs to, and keeps secrets."""

import asyncio
import json
import logging
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import Unavailable
from omc.logs import JsonLines, LogFormat, LogLevel, LogStyle, TextLines, of_request

SECRET = "s3cret-of-the-exchange"


def record(message: object, *args: object, fault: BaseException | None = None, **extra: object) -> logging.LogRecord:
    about = (type(fault), fault, fault.__traceback__) if fault else None
    made = logging.LogRecord("omc.test", logging.WARNING, __file__, 1, message, args, about)
    vars(made).update(extra)
    return made


def line(*args: object, **kwargs: object) -> dict[str, object]:
    return json.loads(JsonLines().format(record(*args, **kwargs)))  # type: ignore[arg-type]


def test_a_line_is_a_json_object_with_what_goes_along():
    told = line("request", method="GET", path="/api/v1/health", status=200, ms=1.5)
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning",
        "logger": "omc.test",
        "message": "request",
        "method": "GET",
        "path": "/api/v1/health",
        "status": 200,
        "ms": 1.5,
    }


def test_a_secret_is_hidden_in_the_message_its_arguments_what_goes_along_and_a_fault():
    fault = Unavailable(f"password={SECRET}")
    for formatter in (JsonLines(), TextLines()):
        said = formatter.format(
            record(
                f"api_key={SECRET} %s", f"token={SECRET}", fault=fault, api_secret=SECRET, details={"password": SECRET}
            )
        )
        assert SECRET not in said
        assert "Unavailable" in said


@given(st.text())
def test_nobody_writes_a_second_line(text):
    for made in (record("%s", text, path=text), record(text, path=text)):
        assert len(JsonLines().format(made).splitlines()) == 1
        assert len(TextLines().format(made).splitlines()) == 1


def test_a_message_that_its_arguments_do_not_fit_is_told_all_the_same():
    assert "three" in str(line("%d %d", "three")["message"])


async def test_every_line_of_a_request_and_of_what_it_starts_names_it():
    said: list[dict[str, object]] = []

    async def speak() -> None:
        await asyncio.sleep(0)
        said.append(line("there"))

    async def request(name: str) -> None:
        with of_request(name):
            await asyncio.gather(asyncio.create_task(speak()), speak())

    await asyncio.gather(request("first"), request("second"))
    assert sorted(str(each["request_id"]) for each in said) == ["first", "first", "second", "second"]
    assert "request_id" not in line("afterwards")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:], logger.level = handlers, level


def test_a_style_is_installed_once_and_obeyed(root, capsys):
    for style in (LogStyle(), LogStyle(LogFormat.TEXT, LogLevel.ERROR)):
        style.install()
    ours = [each for each in root.handlers if isinstance(each.formatter, JsonLines | TextLines)]
    assert len(ours) == 1
    logging.getLogger("omc.somewhere").warning("not told")
    logging.getLogger("omc.somewhere").error("told\nin full")
    said = capsys.readouterr().err
    assert "not told" not in said
    assert "told\\nin full" in said
    assert sys.stderr is not None
