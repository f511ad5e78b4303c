"""What is written to logs: one line for each thing that happened, as JSON or for a person, without secrets.

A line holds no line end and no control character, whoever's text is in it, so nobody can write lines of their own. What
is, or looks like, a secret is hidden wherever it stands: in the message, its arguments, what goes along, or a fault.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from omc.access.redaction import is_secret_name, redacted, redacted_value

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# What some terminals and readers take for a line end is escaped as well.
_in_ascii = json.JSONEncoder(ensure_ascii=True, default=str).encode
# What every record has, and what is no news.
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class LogStyle:
    """How a process writes its log."""

    format: LogFormat = LogFormat.JSON
    level: LogLevel = LogLevel.INFO

    def install(self) -> None:
        """From here on, in this process, to its stderr. Doing it again changes nothing."""
        root = logging.getLogger()
        for each in [one for one in root.handlers if isinstance(one, _Stderr)]:
            root.removeHandler(each)
        handler = _Stderr()
        handler.setFormatter(JsonLines() if self.format is LogFormat.JSON else TextLines())
        root.addHandler(handler)
        root.setLevel(self.level.upper())
        for noisy in ("httpx", "httpcore", "asyncio", "urllib3", "filelock"):
            # They tell of every address that is asked, or of every wait.
            logging.getLogger(noisy).setLevel(logging.WARNING)


@contextmanager
def of_request(request_id: str) -> Iterator[None]:
    """Every line that is written inside, and by whatever is started inside, names the request."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record),
        }
        if request_id := _request_id.get():
            line["request_id"] = request_id
        line |= {name: value for name, value in _extra_of(record).items() if name not in line}
        if record.exc_info and record.exc_info[1] is not None:
            line["fault"] = _fault_of(record.exc_info[1])
        return _in_ascii(line)


class TextLines(logging.Formatter):
    """The same for a person to read. A fault takes the lines that it needs, each set in."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = _request_id.get()
        extra = _extra_of(record) | ({"request_id": request_id} if request_id else {})
        told = "".join(f" {name}={_on_one_line(str(value))}" for name, value in extra.items())
        said = f"{_time_of(record)} {record.levelname:<7} {record.name}: {_on_one_line(_message_of(record))}{told}"
        if record.exc_info and record.exc_info[1] is not None:
            said += "".join(f"\n    {_on_one_line(line)}" for line in _fault_of(record.exc_info[1]).split("\n"))
        return said


class _Stderr(logging.StreamHandler[Any]):
    """Whatever stderr is at the moment, as a process may have it moved."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _time_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message_of(record: logging.LogRecord) -> str:
    try:
        return redacted(record.getMessage())
    except (TypeError, ValueError):
        # Arguments that do not fit the message are somebody's mistake, and no reason to lose the line.
        return redacted(f"{record.msg} {record.args}")


def _extra_of(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: redacted_value(value, name)
        for name, value in vars(record).items()
        if name not in _USUAL and not (is_secret_name(name) and value is None)
    }


def _fault_of(fault: BaseException) -> str:
    return redacted("".join(traceback.format_exception(fault)).rstrip("\n"))


def _on_one_line(text: str) -> str:
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
