"""From an emergency stop's being asked for to the last order on the wire, whatever state the database is in."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import Any

from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle
from bench.boot import tree
from bench.flooring.ground import Ground, until
from bench.flooring.stamps import Reading, Stamp
from omc.trading.deployment import DeploymentStatus
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.stopping import Stopping

TARGET_MS = 100.0
_JOIN_S = 900.0
_LOAD_S, _QUIET_S = 3.0, 5.0
_ROUNDS = ("runs", "hangs", "is stopped")


def stopping(ground: Ground) -> Stopping:
    """What HTTP calls to carry out `POST /floor/emergency-stop`."""
    wired = ground.wired
    ports = FloorPorts(
        algorithms=wired.algorithms,
        deployments=wired.deployments,
        blotter=wired.blotter,
        kill_switch=wired.kill_switch,
        risk=RiskHandle(),
        supervision=SupervisorHandle(),
        archive=wired.prices,
        hot=CollectorHandle(),
        signer=wired.signer,
        clock=wired.clock,
        terms=wired.terms,
        usage=wired.usage,
        halt_files=wired.halt_files,
        limits=wired.risk,
    )
    return Stopping(ports, Effects(ports))


async def sent_since(reading: Reading, at_ns: int) -> list[Stamp]:
    """Orders that went on the wire after that moment, oldest first."""
    reading.more()
    return sorted(stamp for stamp in reading.all if stamp.what == "wire" and stamp.at_ns >= at_ns)


async def under_load(reading: Reading, traders: int) -> float:
    """Orders a second, once every trader has had an order on the wire since now."""
    began = time.monotonic_ns()

    async def all_send() -> bool:
        return len({stamp.key for stamp in await sent_since(reading, began)}) == traders

    await until(all_send, f"orders of all {traders} traders", _JOIN_S)
    began = time.monotonic_ns()
    await asyncio.sleep(_LOAD_S)
    return len(await sent_since(reading, began)) / ((time.monotonic_ns() - began) / 1e9)


async def stop(ground: Ground, reading: Reading, owner: Any, state: str) -> dict[str, Any]:
    """Of the whole account, while everybody trades. What happens to the database happens right before."""
    desk = stopping(ground)
    frozen: list[int] = []
    ending: asyncio.Task[None] | None = None
    try:
        if state == "hangs":
            frozen = tree(ground.server.pid)
            for pid in frozen:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        elif state == "is stopped":
            ending = asyncio.create_task(asyncio.to_thread(ground.server.stop))
            await asyncio.sleep(0)
        asked_ns = time.monotonic_ns()
        stopped = await desk.stop(owner, "the switch is measured", liquidate=False)
        answered_ns = time.monotonic_ns()
        await asyncio.sleep(_QUIET_S)
        sent = await sent_since(reading, asked_ns)
    finally:
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if ending is not None:
            await ending
    if not stopped.halt.reason or "file" not in stopped.kept_in:
        raise SystemExit(f"the stop was not kept: {stopped}")
    before = [stamp.at_ns for stamp in reading.all if stamp.what == "wire" and stamp.at_ns < asked_ns]
    last_ms = (sent[-1].at_ns - asked_ns) / 1e6 if sent else 0.0
    return {
        "last_before_ms": (asked_ns - max(before)) / 1e6,
        "sent_meanwhile": len(sent),
        "last_ms": last_ms,
        "answered_ms": (answered_ns - asked_ns) / 1e6,
        "sent_after_answer": sum(stamp.at_ns > answered_ns for stamp in sent),
        "sent_late": sum(stamp.at_ns > asked_ns + TARGET_MS * 1e6 for stamp in sent),
        "kept_in": stopped.kept_in,
        "paused": len(stopped.paused),
    }


async def go_on(ground: Ground, owner: Any, deployed: list[Any]) -> None:
    """End the halt and let everybody trade again."""
    flag, desk = stopping(ground).ports.flag, stopping(ground)

    async def released() -> bool:
        try:
            return (await desk.reset(owner, "the next measurement")).still is None
        except Exception:
            return False

    await until(released, "the end of a halt", 120)
    assert await flag.halted(owner) is None
    for each in deployed:
        if (await ground.wired.deployments.get(each.id)).status is not DeploymentStatus.ACTIVE:
            await ground.wired.deployments.set_status(each.id, DeploymentStatus.ACTIVE, "the next measurement")
    await SupervisorHandle(patience_s=60.0).nudge()


def show(found: dict[str, Any], traders: int, state: str) -> None:
    print(
        f"kill switch, {traders} traders, {found['orders_a_second']:.0f} orders/s, the database {state}: last order on "
        f"the wire {found['last_ms']:.1f} ms after it was asked for, {found['last_ms'] / TARGET_MS:.2f} of the target "
        f"of {TARGET_MS:.0f} ms ({found['sent_meanwhile']} left in between, the last before that "
        f"{found['last_before_ms']:.1f} ms earlier); answered after {found['answered_ms']:.0f} ms, kept in "
        f"{' and '.join(found['kept_in'])}; {found['sent_after_answer']} sent after the answer, "
        f"{found['sent_late']} after the target",
        flush=True,
    )


async def run(ground: Ground, traders: int) -> dict[str, Any]:
    """SystemExit when anything is sent after the stop was answered, or when nobody traded."""
    deployed = await ground.deploy(traders)
    owner = deployed[0].user_id
    reading, found = Reading(ground.stamps.folder), dict[str, Any]()
    for state in _ROUNDS:
        rate = await under_load(reading, traders)
        found[state] = {"orders_a_second": rate, **await stop(ground, reading, owner, state)}
        show(found[state], traders, state)
        if found[state]["sent_after_answer"]:
            raise SystemExit("an order was sent after the emergency stop was answered")
        if state != _ROUNDS[-1]:
            await go_on(ground, owner, deployed)
    return found
