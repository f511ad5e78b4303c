"""The process that processes for people's code are forked from: warm, with one thread and with nothing to steal.

It is started by `launch.launch`: `python -m omc.adapters.sandbox_process.zygote FD`, with an environment that holds
settings of threads and nothing else, and one end of a connected SOCK_SEQPACKET unix socket as descriptor FD. Each
packet is one JSON object. The parent writes

    {"spawn": TICKET, "limits": {fields of Limits}}    and one descriptor (SCM_RIGHTS): the child's end of a stream
                                                       socket. TICKET is any whole number, used once.

and reads

    {"ready": PID, "memory_bytes": N, "seconds": S}    first, once; resident memory and time that warming up took.
    {"failed": WHY}                                    instead of it; the zygote has ended.
    {"spawned": TICKET, "pid": PID}                    and one descriptor: a pidfd of the child, by which it is killed
                                                       (`signal.pidfd_send_signal`) and waited for without ever meeting
                                                       another process of the same number. Every layer stands.
    {"refused": TICKET, "why": WHY}                    a layer is missing: nobody's code ran; WHY is a sentence.
    {"ended": TICKET, "exit": CODE, "cpu_s": S, "peak_bytes": N}
                                                       last, after `spawned` and only then. N counts what it
                                                       shares with the zygote. CODE is the exit code, or
                                                       less than 0: -SIGSYS for a forbidden call, -SIGXCPU for CPU time
                                                       used up, -SIGKILL for who killed it, -SIGSEGV for a stack that
                                                       overflowed or memory that it broke.

Answers come in no promised order between tickets. The child calls `lockdown.lock(limits, keep_fds)`, then
`serve.main(fd)` with its end of the stream socket, blocking; it exits with 0 when that returns and with 1 when it
raises. 0, 1 and 2 are /dev/null in it.

The zygote ends, and all its children with it, when the parent closes the socket or ends.
"""

import gc
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable

from omc.adapters.sandbox_process.forks import KIBIBYTE, LONGEST, Forks, check_alone


def run(control: socket.socket, serve: Callable[[int], None], prepare: Callable[[], None]) -> None:
    """A zygote's life: `prepare`, say so, fork until the parent is gone."""
    started = time.perf_counter()
    try:
        prepare()
        check_alone()
    except Exception as error:
        control.send(json.dumps({"failed": f"the sandbox did not start: {error}"}).encode()[:LONGEST])
        raise
    # What stands now is never collected, so that children go on sharing its memory instead of copying it.
    gc.collect()
    gc.freeze()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    seconds = time.perf_counter() - started
    control.send(json.dumps({"ready": os.getpid(), "memory_bytes": resident, "seconds": seconds}).encode())
    Forks(control, serve).run()


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

    run(socket.socket(fileno=int(sys.argv[1])), serve, prepare)


if __name__ == "__main__":
    main()
