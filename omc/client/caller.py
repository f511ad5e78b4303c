"""What every generated method does: name the operation, send it, and read its answer."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel, TypeAdapter

from omc.client.transport import IDEMPOTENCY_KEY, Transport, document_of

T = TypeVar("T")
SECOND_FACTOR = "X-Second-Factor"


class Caller:
    """Asks over a transport, as whoever `headers` says."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _signature(self) -> Mapping[str, str]:
        """The headers that say who asks."""
        return {}

    def _ask(
        self,
        shape: Any,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: BaseModel | None = None,
        signed: bool = True,
        key: str | None = None,
        code: str | None = None,
    ) -> Any:
        """The answer as `shape`: its `data`, or a page whole. `code` is of the second factor."""
        named = {IDEMPOTENCY_KEY: key, SECOND_FACTOR: code}
        headers = {**(self._signature() if signed else {}), **{name: text for name, text in named.items() if text}}
        content = None if body is None else body.model_dump(mode="json", exclude_unset=True, by_alias=True)
        answer = self._transport.send(method, path, query=_plain(query or {}), body=content, headers=headers)
        if shape is str:
            return answer.text
        document = document_of(answer)
        return _reader(shape).validate_python(document["data"] if document.get("status") == "success" else document)


def new_key() -> str:
    """A key that makes a request safe to repeat."""
    return uuid4().hex


@cache
def _reader(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _plain(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in query.items() if value is not None}


def _text(value: Any) -> Any:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_text(each) for each in value]
        case int() | float() | str():
            return value
        case _:
            return str(value)
