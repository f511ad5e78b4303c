"""`python -m cluster.up`: runs `cluster.boot` below itself, and leaves nothing behind however that ends.

The platform lives in a session of its own, where a terminal's signals do not reach its parts one by one. This process
passes them on once, adopts whatever loses its parent, and sees the last of it off. When it is killed itself, the
platform is told to stop. It imports next to nothing, because it stays.
"""

import os
import signal
import subprocess
import sys

from cluster import processes

_ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_INTERRUPTED = 128 + signal.SIGINT


def main(arguments: list[str]) -> int:
    """The platform's exit code."""
    processes.adopt_orphans()
    # Held back until there is somebody to pass them on to.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)
    _end_with_parent(arguments)
    platform = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "cluster.boot", *arguments, "--owner", str(os.getpid())],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
    )

    asked = False

    def pass_on(*_: object) -> None:
        nonlocal asked
        asked = True
        os.kill(platform.pid, signal.SIGTERM)

    for number in _ASKED:
        signal.signal(number, pass_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED)
    code = _outlive(platform.pid)
    processes.end_below(os.getpid())
    if code < 0:
        sys.stderr.write(f"omc: the platform was ended by {signal.Signals(-code).name}\n")
        # Ray may crash when it is told to stop in the middle of its start. What was asked for has come about even so.
        return _INTERRUPTED if asked else 1
    return code


def _end_with_parent(arguments: list[str]) -> None:
    """Obey `--with-parent PID`, which is ours and not the platform's."""
    if "--with-parent" in arguments:
        at = arguments.index("--with-parent")
        parent = int(arguments[at + 1])
        del arguments[at : at + 2]
        processes.end_with_parent(parent)


def _outlive(pid: int) -> int:
    """Let every adopted child go that ends, until `pid` does; its exit code, negative for a signal."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
