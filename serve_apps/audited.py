"""The audit trail of HTTP: whatever may change something is on record before it is done, and again with its outcome.

That it is asked for is written as soon as it is known whose account it is about, and before the handler runs: when that
cannot be written, nothing is done. The outcome follows once the answer is out. An entry without an outcome is of a
replica that was lost meanwhile; the journal says what came of it. A halt alone waits for no record: it follows as soon
as it can, and so does an outcome that the database does not take at once. New routes are covered by being routes: those
that ask for a token by asking, and those that let anybody in by saying who came. Reading costs nothing.
"""

import logging
import re
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from omc.access import audit
from omc.access.audit import Detail, Happening
from omc.access.audit_trail import AuditTrail
from omc.access.redaction import redacted, redacted_path
from omc.clock import Clock
from omc.errors import OmcError
from serve_apps.arrears import Arrears
from serve_apps.patience import soon
from serve_apps.precedence import is_halt
from serve_apps.seen import seen_of
from serve_apps.uncut import uncut

logger = logging.getLogger("omc.http")

READS = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY = "omc.audit"
_LONGEST_SUBJECT = 300
# After that the database is taken to be away.
_OUTCOME_S = 1.0
_ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


@dataclass(slots=True)
class Record:
    """What is written of one request."""

    trail: AuditTrail
    clock: Clock
    scope: Scope
    arrears: Arrears
    account: UUID | None = None
    actor: str = ""
    asked_at: int | None = None
    """The place of its first entry."""
    why: str | None = None
    """What was said when it was refused."""
    noted: dict[str, Detail] = field(default_factory=dict)
    """What more is known of what was done, where the action and the path do not say it."""

    async def ask(self) -> None:
        """Write that it is asked for, once. Unavailable when that cannot be written, unless it halts."""
        if self.account is None or self.asked_at is not None:
            return
        happening = self._happening(self.account, {"outcome": "asked"})

        async def write() -> None:
            self.asked_at = (await self.trail.append(happening)).seq

        await (self.arrears.owe(self.account, write) if is_halt(self.scope) else write())

    async def end(self, status: int | None) -> None:
        """Write what came of it, or have it written later: it is too late to refuse anything, and nobody waits."""
        account = self.account
        if account is None:
            return
        details: dict[str, Detail] = {"outcome": _outcome(status), "status": status, "asked": self.asked_at}
        if self.why is not None:
            details["why"] = self.why
        if status is not None and status < 400:
            details |= self.noted
        if is_halt(self.scope):
            happening = self._happening(account, details)
            # Its first entry may have found its place only when this one is written.
            await self.arrears.owe(
                account, lambda: self.trail.append(replace(happening, details=details | {"asked": self.asked_at}))
            )
            return
        await self._settle(account, details)
        if status is not None and status < 400 and (other := self._other):
            await self._settle(other, details | {"asked": None})

    async def _settle(self, account: UUID, details: dict[str, Detail]) -> None:
        happening = self._happening(account, details)
        writing = partial(self.trail.append, happening)
        try:
            if self.actor and self.asked_at is None:
                # It could not be put on record that it was asked for, so nothing was done.
                await soon(writing(), "the database", _OUTCOME_S)
            else:
                await self.arrears.settle(account, writing, _OUTCOME_S)
        except OmcError as fault:
            logger.error(  # noqa: TRY400  the fault's sentence says all
                "the outcome of entry %s of account %s is not on record: %s", self.asked_at, account, fault
            )

    @property
    def _other(self) -> UUID | None:
        """The account that a superuser acted on: its owner has that on record as well, once it is done."""
        # As the route has read it: one id can be written in several ways.
        named = str(self.scope.get("path_params", {}).get("user_id", self.account))
        other = UUID(named) if _ID.fullmatch(named) else None
        return None if other == self.account else other

    def _happening(self, account: UUID, details: dict[str, Detail]) -> Happening:
        seen = seen_of(self.scope)
        return Happening(
            account=account,
            at=self.clock.now(),
            actor=self.actor,
            action=action_of(self.scope),
            subject=_subject_of(self.scope),
            details=details,
            address=seen.address,
            request_id=seen.request_id,
        )


class Audited:
    """Keeps a record of each request that may change something, for whoever learns whose it is."""

    def __init__(self, app: ASGIApp, trail: AuditTrail, clock: Clock) -> None:
        self._app = app
        self._trail = trail
        self._clock = clock
        self._arrears = Arrears()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in READS:
            await self._app(scope, receive, send)
            return
        record = Record(self._trail, self._clock, scope, self._arrears)
        scope[_KEY] = record
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception:
            # The door in front answers for it.
            status = status or 500
            raise
        finally:
            await uncut(record.end(status))


def install(app: FastAPI, trail: AuditTrail, clock: Clock) -> None:
    """Keep the audit trail of `app`. To be called before its door is installed, which stands in front."""
    app.add_middleware(Audited, trail=trail, clock=clock)


async def asked(request: Request, account: UUID, actor: str | None = None) -> None:
    """It is known who asks: write it down before anything is done."""
    seen_of(request.scope).user = str(account)
    if record := _record_of(request):
        record.account, record.actor = account, actor or audit.user(account)
        await record.ask()


def concerns(request: Request, account: UUID) -> None:
    """Somebody who is not known yet asks for something of `account`: only the outcome is written, after the answer, so
    that how long the answer takes tells nobody whether there is such an account."""
    if record := _record_of(request):
        record.account, record.actor = account, ""


def refused(request: Request, why: str) -> None:
    """What the answer says. It may quote what was sent."""
    if record := _record_of(request):
        record.why = redacted(_printable(why))[:_LONGEST_SUBJECT]


def noted(request: Request, name: str, value: Detail) -> None:
    """Written with the outcome, once it is done. Neither a secret nor what names somebody."""
    if record := _record_of(request):
        record.noted[name] = value


def action_of(scope: Scope) -> str:
    """The noun and the name of the route, such as `auth.log_in`."""
    route: Any = scope.get("route")
    return ".".join([*map(str, getattr(route, "tags", [])[:1]), getattr(route, "name", "unknown")])


def _subject_of(scope: Scope) -> str:
    """The path that was asked for. Somebody may have put there what belongs into a body."""
    return redacted_path(_printable(scope["path"]))[:_LONGEST_SUBJECT]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _record_of(request: Request) -> Record | None:
    record = request.scope.get(_KEY)
    return record if isinstance(record, Record) else None


def _outcome(status: int | None) -> str:
    match status:
        case None:
            return "unknown"
        case _ if status < 400:
            return "done"
        case _ if status < 500:
            return "refused"
        case _:
            return "failed"
