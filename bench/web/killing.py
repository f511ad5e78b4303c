"""Kills of whoever stands between a client and its answer, while it writes; and what became of what it was promised."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.boot import name, tree
from bench.web.ground import Web

OUTAGE_LIMIT_S = 5.0
_BEFORE_S, _AFTER_S = 2.0, 12.0
_PROFILE = "/api/v1/users/profile"


def called(*words: str) -> list[int]:
    """Processes below this one whose name has one of `words` in it."""
    return [pid for pid in tree(os.getpid()) if any(word in name(pid) for word in words)]


def _postmaster() -> list[int]:
    # Its children have titles instead: "postgres: checkpointer".
    return [pid for pid in tree(os.getpid()) if name(pid).strip() == "postgres"]


VICTIMS: dict[str, Callable[[], list[int]]] = {
    # Of two names: Ray calls a replica otherwise while it carries out what it was told to.
    "a replica": lambda: called("ServeReplica:gateway:", "SERVE_REPLICA::gateway#"),
    "the front": lambda: called("haproxy") or called("ProxyActor"),
    "Serve's controller": lambda: called("ServeController"),
    "PostgreSQL": _postmaster,
}


@dataclass
class Seen:
    answers: list[float] = field(default_factory=list)
    """When something was acknowledged."""
    failed: list[str] = field(default_factory=list)
    acknowledged: int = 0
    attempted: int = 0


async def kills(it: Web) -> list[dict[str, Any]]:
    return [await _kill(it, what, find) for what, find in VICTIMS.items()]


async def _kill(it: Web, what: str, find: Callable[[], list[int]]) -> dict[str, Any]:
    seen, reads = Seen(), Seen()
    headers = {"Authorization": f"Bearer {it.token()}"}
    async with httpx.AsyncClient(base_url=it.ours, headers=headers, timeout=30, trust_env=False) as http:
        ending = asyncio.Event()
        tasks = [asyncio.create_task(_write(http, seen, ending)), asyncio.create_task(_read(http, reads, ending))]
        await asyncio.sleep(_BEFORE_S)
        victims = find()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        if not victims:
            raise SystemExit(f"{what}: nobody is there to be killed")
        await asyncio.sleep(_AFTER_S)
        ending.set()
        await asyncio.gather(*tasks)
        kept = int((await http.get(_PROFILE)).json()["data"]["full_name"])
    outage_s = max(later - earlier for earlier, later in zip(seen.answers, seen.answers[1:], strict=False))
    lost = not seen.acknowledged <= kept <= seen.attempted
    verdict = "  MISSED" if outage_s > OUTAGE_LIMIT_S or lost else ""
    print(
        f"{what} killed: {outage_s:.1f} s without an acknowledged write (at most {OUTAGE_LIMIT_S:.0f}), "
        f"{len(seen.failed)} of {seen.attempted} writes and {len(reads.failed)} of {reads.attempted} reads failed, "
        f"last acknowledged {seen.acknowledged}, kept {kept}{verdict}",
        flush=True,
    )
    return {
        "victim": what,
        "outage_s": round(outage_s, 2),
        "writes": seen.attempted,
        "writes_failed": seen.failed,
        "reads": reads.attempted,
        "reads_failed": reads.failed,
        "lost": lost,
    }


async def _write(http: httpx.AsyncClient, seen: Seen, ending: asyncio.Event) -> None:
    seen.answers.append(time.monotonic())
    while not ending.is_set():
        seen.attempted += 1
        if await _asked(http.put(_PROFILE, json={"full_name": str(seen.attempted)}), seen):
            seen.acknowledged = seen.attempted
            seen.answers.append(time.monotonic())
    seen.answers.append(time.monotonic())


async def _read(http: httpx.AsyncClient, seen: Seen, ending: asyncio.Event) -> None:
    while not ending.is_set():
        seen.attempted += 1
        await _asked(http.get(_PROFILE), seen)


async def _asked(asking: Any, seen: Seen) -> bool:
    try:
        answer = await asking
    except httpx.TransportError as fault:
        seen.failed.append(type(fault).__name__)
        # Nobody is there to be waited for.
        await asyncio.sleep(0.02)
        return False
    if answer.status_code != 200:
        seen.failed.append(str(answer.status_code))
    return bool(answer.status_code == 200)
