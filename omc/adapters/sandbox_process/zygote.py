"""The process that processes for people's code are forked from: warm, with one thread and with nothing to steal.

`launch` starts it, with an environment that holds settings of threads and nothing else, in one of two ways:

    python -m omc.adapters.sandbox_process.zygote FD            for one owner: FD is one end of a connected
                                                                SOCK_SEQPACKET unix socket. It ends with its owner.
    python -m omc.adapters.sandbox_process.zygote FD SECONDS    for whoever of this user connects to the listening
                                                                socket FD. It leaves its parent at once, and ends when
                                                                nobody has been connected for so long.

Each packet is one JSON object. An owner writes

    {"spawn": TICKET, "limits": {fields of Limits}}    and one descriptor (SCM_RIGHTS): the child's end of a stream
                                                       socket. TICKET is any whole number, used once. It may add
                                                       "together" (fields of Together), "nice" (the child is to be at
                                                       least as nice) and "unsafe" (true: go without layers that do
                                                       not work).

and reads

    {"ready": PID, "memory_bytes": N, "seconds": S}    first, once; resident memory and time that warming up took.
    {"failed": WHY, "refused": BOOL}                   instead of it; the zygote has ended. "refused": this machine
                                                       cannot confine anybody; otherwise it may be tried again.
    {"spawned": TICKET, "pid": PID, "missing": [WHY]}  and one descriptor: a pidfd of the child, by which it is killed
                                                       (`signal.pidfd_send_signal`) and waited for without ever meeting
                                                       another process of the same number. Every layer stands, but for
                                                       those that are missing, which only "unsafe" allows.
    {"refused": TICKET, "why": WHY}                    a layer is missing: nobody's code ran; WHY is a sentence.
    {"unavailable": TICKET, "why": WHY}                too many run, or memory is short, or it ended before it could
                                                       say a word; nobody's code ran.
    {"ended": TICKET, "exit": CODE, "cpu_s": S, "peak_bytes": N}
                                                       last, after `spawned` and only then. N counts what it
                                                       shares with the zygote. CODE is the exit code, or
                                                       less than 0: -SIGSYS for a forbidden call, -SIGXCPU for CPU time
                                                       used up, -SIGKILL for who killed it, -SIGSEGV for a stack that
                                                       overflowed or memory that it broke.

Answers come in no promised order between tickets. The child calls `lockdown.lock(limits, keep_fds)`, then
`serve.main(fd)` with its end of the stream socket, blocking; it exits with 0 when that returns and with 1 when it
raises. 0, 1 and 2 are /dev/null in it.

When an owner closes its socket or ends, its children are killed, and nobody else's. They end with the zygote, too.
"""

import contextlib
import gc
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omc.adapters.sandbox_process.fork import check_alone
from omc.adapters.sandbox_process.forks import KIBIBYTE, Forks
from omc.adapters.sandbox_process.owners import Owner, let_in
from omc.errors import SandboxRefused

_MOST_DESCRIPTORS = 16_384
_LONGEST_TOLD = 4_000


def run(arguments: Sequence[str], serve: Callable[[int], None], prepare: Callable[[], None]) -> None:
    """A zygote's life: `prepare`, say so, fork until nobody is there any more."""
    given = socket.socket(fileno=int(arguments[0]))
    linger_s = float(arguments[1]) if len(arguments) > 1 else None
    if linger_s is not None:
        _leave_parent()
    _step_back()
    started = time.perf_counter()
    try:
        prepare()
        check_alone()
    except Exception as error:
        why = {"failed": f"the sandbox did not start: {error}", "refused": isinstance(error, SandboxRefused)}
        _fail(given, why, shared=linger_s is not None)
        raise
    # What stands now is never collected, so that children go on sharing its memory instead of copying it.
    gc.collect()
    gc.freeze()
    _open_more()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    seconds = time.perf_counter() - started
    forks = Forks(serve, {"ready": os.getpid(), "memory_bytes": resident, "seconds": seconds})
    if linger_s is None:
        forks.admit(Owner(given))
        forks.run()
    else:
        forks.run(given, linger_s)


def _leave_parent() -> None:
    """Whoever started this is one owner among others, and may end at any time or look for children of its own."""
    if os.fork():
        os._exit(0)


def _step_back() -> None:
    """As far as whoever started this did: where the kernel shares the processor among sessions, this one is its own,
    and would be given as much as any other."""
    level = os.getpriority(os.PRIO_PROCESS, 0)
    if level > 0:
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(level))


def _fail(given: socket.socket, why: dict[str, Any], *, shared: bool) -> None:
    said = json.dumps({**why, "failed": why["failed"][:_LONGEST_TOLD]}).encode()
    if not shared:
        given.send(said)
        return
    given.setblocking(False)
    # Whoever waits; let_in gives nobody when nobody does.
    while (owner := let_in(given)) is not None:
        with contextlib.suppress(OSError):
            owner.control.send(said)
        owner.close()


def _open_more() -> None:
    """Two descriptors for each owner, and one for each child."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, _MOST_DESCRIPTORS)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def main() -> None:
    def prepare() -> None:
        # Here and not above: most of the time that it takes is imports.
        from omc.adapters.sandbox_process.warm import warm
        from omc.adapters.sandbox_process.warm_serving import warm_serving
        from omc.strategy.sandbox import warm_up

        warm_up()
        warm_serving()
        # Last, since nothing is imported or compiled after it.
        warm()

    def serve(channel: int) -> None:
        # Long imported by then.
        from omc.adapters.sandbox_process import serve as inside

        inside.main(channel)

    run(sys.argv[1:], serve, prepare)


if __name__ == "__main__":
    main()
