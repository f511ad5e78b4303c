"""What was asked of one's own account."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from omc.access.audit import Entry, Happening
from omc.access.audit_trail import Sought
from serve_apps.envelope import Page, Paging
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.wire import Closing, Opening, Time

_ACTION = Field(None, max_length=100, pattern=r"^[a-z][a-z0-9_.]*$", examples=["auth.log_in"])


class AuditQuery(Paging):
    """Both ends count."""

    action: Annotated[str | None, _ACTION] = None
    start: Opening | None = None
    end: Closing | None = None


class AuditOut(BaseModel):
    """An entry of the chain. `hash` covers all of it and `previous`, which is the hash of the entry before.

    Each request that may change something has two: `outcome` asked before anything was done, and one of the others
    afterwards, which names the first one's `seq` as `asked`. Attempts to come in that failed have the second alone.
    """

    seq: int
    at: Time
    actor: str = Field(description="user:…, token:…, cli or platform; empty when nobody had come in.")
    action: str
    subject: str = Field(description="What it was done to: the path that was asked for.")
    outcome: str | None = Field(description="asked, done, refused, failed or unknown.")
    details: dict[str, str | int | bool | None]
    address: str
    request_id: str
    previous: str
    hash: str

    @classmethod
    def of(cls, entry: Entry) -> Self:
        told = entry.happening
        return cls(
            seq=entry.seq,
            at=told.at,
            actor=told.actor,
            action=told.action,
            subject=told.subject,
            outcome=_outcome_of(told),
            details=dict(told.details),
            address=told.address,
            request_id=told.request_id,
            previous=entry.previous,
            hash=entry.hash,
        )


def _outcome_of(told: Happening) -> str | None:
    outcome = told.details.get("outcome")
    return outcome if isinstance(outcome, str) else None


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["audit"])

    @router.get("/audit")
    async def trail(user_id: Annotated[UUID, Depends(bearer)], query: Annotated[AuditQuery, Query()]) -> Page[AuditOut]:
        """Newest first. Nothing in it can be changed or taken out."""
        sought = Sought(user_id, query.action, query.start, query.end)
        found, total = await ports.audit.page(sought, query.per_page, query.offset)
        return Page.of([AuditOut.of(entry) for entry in found], total, query)

    return router
