"""Starts everything: what does not wait for anything at once, what does in its order; and stops it the other way round.

It says `ready ADDRESS` once every dependency answers, and runs until it is told to stop. `cluster.up` is its owner.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cluster import processes, ray_head, tls, vault_key
from cluster.confinement import ALLOW, Confinement
from cluster.ear import ASKED, Ear, Told
from cluster.home import Home
from cluster.ports import Ports
from cluster.sandbox import Sandbox
from cluster.storage import Storage
from cluster.wiring import Wiring, wiring
from omc.adapters.key_file import ensure_key
from omc.errors import OmcError, Unavailable

if TYPE_CHECKING:
    from cluster.jobs import RayJobs

ROOT = Path(__file__).resolve().parents[1]
_READY_WITHIN_S = 180.0
_LOOK_ROUND_S = 1.0
logger = logging.getLogger("omc.boot")


class Broken(Exception):
    """Something that the platform cannot do without ended by itself; whoever watches was told why."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = vars(_options().parse_args(arguments))
    owner = options.pop("owner")
    ear = Ear()
    ear.listen()
    # Our owner started us with its own signals held back.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKED)
    try:
        processes.end_with_parent(owner)
        run(wiring(**options), ear)
    except Told:
        return 0
    except Broken:
        # All is stopped, and the exit handlers of a client whose node is gone may crash, or wait for it.
        os._exit(1)
    except OmcError as fault:
        _say(str(fault))
        return 1


def run(wired: Wiring, ear: Ear) -> NoReturn:
    """Run the platform; ends by `Told`, or by the fault that keeps it from running."""
    began = time.monotonic()
    home = wired.home
    home.prepare()
    with home.locked(), ExitStack() as stops:
        _clear_leftovers(home)
        stops.callback(shutil.rmtree, home.sandboxes, ignore_errors=True)
        ports = Ports()
        stops.callback(ports.release)
        wired = wired.claimed(ports)
        for key in (home.jwt_key, home.ray_token, home.sandbox_token):
            ensure_key(key)
        _enter(home, wired)
        home.tls_certificate.unlink(missing_ok=True)
        if wired.tls:
            tls.examine(*wired.tls, home.tls_certificate)
        storage, sandbox = Storage(home, wired), Sandbox(home, wired)
        # Ray's agents would outlive their node by a minute, and are nobody's children by then.
        family = processes.Family()
        stops.callback(family.end)
        stops.callback(storage.stop)
        stops.callback(sandbox.stop)
        threads = stops.enter_context(ThreadPoolExecutor(max_workers=3, thread_name_prefix="boot"))
        stops.callback(sandbox.give_up)
        stops.callback(vault_key.clear, wired)
        venue = threads.submit(_open_venue, storage, sandbox, wired)

        ear.rest()
        ray_head.preload()
        shells = threads.submit(_import_shells)
        confined = threads.submit(lambda: wired.confinement)
        folder = ray_head.session_folder()
        stops.callback(ray_head.salvage, folder, home.logs)
        record: dict[str, Any] = {
            "pid": os.getppid(),
            "started": processes.started(os.getppid()),
            "url": wired.url,
            "session": str(folder),
        }
        home.write_record(**record)
        stops.callback(home.record.unlink, missing_ok=True)
        ear.rest()
        try:
            head = ray_head.start(folder, wired.head())
        except SystemExit:
            # Ray listens to signals itself while it starts, and leaves when it hears one.
            raise Told from None
        stops.callback(head.stop)
        stops.callback(family.remember)
        # Ray would rather hear of signals itself.
        ear.listen()

        ear.result(shells)
        ear.result(venue)
        ear.result(confined)
        _tell(wired.confinement)
        from cluster.floor import Floor
        from cluster.serving import Serving

        Floor(wired).start()
        if (front := wired.front) is not None:
            stops.callback(front.stop)
            front.start()
        serve = Serving(wired, head.dashboard, head.address)
        stops.callback(lambda: serve.stop() if head.ended is None else None)
        if front is not None:
            stops.callback(front.turn_away)
        serve.start()
        _wait_until_ready(record["url"], ear, tls.trusting(home.tls_certificate) if wired.tls else None)
        record |= {"dashboard": head.dashboard, "ray": head.address, "boot_s": round(time.monotonic() - began, 2)}
        record |= {"confinement": wired.confinement.document}
        home.write_record(**record, tape=sandbox.tape, exchange=wired.exchange_url)
        asyncio.run(_ready_for_sweeps(wired, serve.runner))
        sys.stdout.write(f"dashboard {head.dashboard}\nready {record['url']}\n")
        sys.stdout.flush()
        _watch(sandbox, head, home.logs, ear)


async def _ready_for_sweeps(wired: Wiring, jobs: "RayJobs") -> None:
    """Sweeps that were under way when the platform stopped, or was killed, wait again, and somebody takes them."""
    try:
        for sweep_id in await wired.sweeps.unfinished():
            await wired.sweeps.reopen(sweep_id, interrupted=True)
        await jobs.stand_by()
    except OmcError as fault:
        logger.warning("nobody stands by for sweeps: %s", fault)
    await wired.database.close()


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.up", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--port", type=int)
    options.add_argument("--dashboard-port", type=int)
    options.add_argument("--tape", type=Path, action="append")
    options.add_argument("--tape-days", type=int)
    options.add_argument("--lockstep", action="store_const", const=True)
    options.add_argument("--speed", type=float)
    options.add_argument("--external-exchange")
    options.add_argument("--external-token-file", type=Path)
    options.add_argument(ALLOW, action="store_const", const=True)
    options.add_argument("--owner", type=int, required=True, metavar="PID", help="end when this process ends")
    return options


def _enter(home: Home, wired: Wiring) -> None:
    """Set what every process that is started from here on inherits. The database's password and the vault's key are not
    part of it: they find them in files."""
    for name in ("OMC_DATABASE_URL", "OMC_VAULT_KEY"):
        os.environ.pop(name, None)
    os.environ.update(ray_head.environment(wired.ray_token_file, multi_node=wired.multi_node))
    os.environ[processes.MARK] = str(home.folder)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def _clear_leftovers(home: Home) -> None:
    """End what outlived a killed run of this home, and keep its logs."""
    processes.end(processes.marked(home.folder))
    # What waits there ends by itself when nobody comes; today's platform starts its own.
    shutil.rmtree(home.sandboxes, ignore_errors=True)
    former = home.recorded()
    if former:
        ray_head.salvage(Path(former.get("session", "")), home.logs)
        home.record.unlink(missing_ok=True)


def _import_shells() -> None:
    """Pay for the shells' imports while the node starts."""
    import cluster.floor
    import cluster.serving  # noqa: F401

    logging.getLogger("ray.serve").setLevel(logging.WARNING)


def _tell(confinement: Confinement) -> None:
    """So that nobody who looks at this terminal can miss what people's code runs behind, unless all is well."""
    if confinement.notice is None:
        return
    frame = f"{'!' * 72}\n" if confinement.unsafe else ""
    sys.stderr.write(f"{frame}omc: {confinement.notice}\n{frame}")
    sys.stderr.flush()


def _open_venue(storage: Storage, sandbox: Sandbox, wired: Wiring) -> None:
    storage.start()
    asyncio.run(vault_key.prepare(wired))
    sandbox.start()


def _wait_until_ready(url: str, ear: Ear, trust: ssl.SSLContext | None) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    said = ""
    while time.monotonic() < deadline:
        try:
            # Our own address.
            with urllib.request.urlopen(f"{url}/api/v1/ready", timeout=10, context=trust):  # noqa: S310
                return
        except urllib.error.HTTPError as answer:
            said = _message(answer)
        except OSError as fault:
            said = f"it does not answer: {fault}"
        ear.rest(0.05)
    raise Unavailable(f"the platform did not become ready within {_READY_WITHIN_S:.0f} s: {said}")


def _message(answer: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(answer.read())["error"]["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"it answers {answer.code}"


def _watch(sandbox: Sandbox, head: ray_head.RayHead, logs: Path, ear: Ear) -> NoReturn:
    """Stand by until we are told to stop; an exchange that ended takes the platform with it, because the accounts that
    it kept are gone, and so does a node that restarts nothing any more."""
    while True:
        ear.rest(_LOOK_ROUND_S)
        if sandbox.ended:
            _break(f"the sandbox exchange ended: see {sandbox.log}")
        if (ended := head.ended) is not None:
            _break(f"Ray's {ended} ended, and the platform with it: start it again, and see {logs / 'ray'}")


def _break(why: str) -> NoReturn:
    # Said at once: stopping what is left of the platform takes a while, and may not come to its end.
    _say(why)
    raise Broken


def _say(what: str) -> None:
    sys.stderr.write(f"omc: {' '.join(what.split())}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
