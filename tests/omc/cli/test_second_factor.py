"""The second factor at a terminal and through a pipe, and codes for whatever asks for one."""

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from omc.cli.main import run
from omc.cli.outcome import Failure
from omc.cli.second_factor import with_code

PASSWORD, SHOWN, SECRET = "correct horse battery", "123456", "JBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/Oh%20My%20Coins:a%40b.test?secret={SECRET}"
RECOVERY = ["aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh"]
FACTOR = "/users/second-factor"
NEEDED = (403, "FORBIDDEN", {"second_factor": "required"})
ONE = "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90"
ON = {f"POST {FACTOR}": {"secret": SECRET, "otpauth_uri": URI}, f"POST {FACTOR}/confirm": {"recovery_codes": RECOVERY}}
WAITS_S = 120.0
# The last character comes when the terminal has been told to echo nothing.
ASKED_HIDDEN = "password: "


@dataclass
class Terminal:
    """One in which the command runs, and what it shows. A line that is typed is echoed by the terminal itself, unless
    it was told not to."""

    master: int
    process: subprocess.Popen[bytes]
    shown: str = ""

    def until(self, text: str) -> None:
        while text not in self.shown:
            assert self._reads(), self.shown

    def types(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def ends(self) -> int:
        while self._reads():
            pass
        return self.process.wait(WAITS_S)

    def _reads(self) -> bool:
        readable, _, _ = select.select([self.master], [], [], WAITS_S)
        with suppress(OSError):
            if readable and (read := os.read(self.master, 4096)):
                self.shown += read.decode()
                return True
        return False


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """`terminal("second-factor", "on")` runs it there."""
    opened: list[Terminal] = []

    def start(*words: str) -> Terminal:
        master, slave = pty.openpty()
        command = [Path(sys.executable).with_name("omc"), *words]
        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        opened.append(Terminal(master, process))
        return opened[-1]

    yield start
    for each in opened:
        each.process.kill()
        each.process.wait()
        os.close(each.master)


@pytest.fixture
def piped(monkeypatch):
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_at_a_terminal_it_is_set_up_step_by_step_and_the_password_is_not_shown(served, terminal):
    asked = served(ON)
    there = terminal("second-factor", "on")
    there.until(ASKED_HIDDEN)
    there.types(PASSWORD)
    there.until(URI)
    there.until("code:")
    assert f"secret: {SECRET}" in there.shown
    assert [path for _, path, _ in asked] == [FACTOR]
    there.types(SHOWN)
    assert there.ends() == 0
    assert asked == [("POST", FACTOR, {"password": PASSWORD}), ("POST", f"{FACTOR}/confirm", {"code": SHOWN})]
    assert [line for line in there.shown.splitlines() if line in RECOVERY] == RECOVERY
    assert PASSWORD not in there.shown


def test_at_a_terminal_it_is_switched_off_by_password_and_code(served, terminal):
    asked = served({f"DELETE {FACTOR}": None})
    there = terminal("second-factor", "off")
    there.until(ASKED_HIDDEN)
    there.types(PASSWORD)
    there.until("code:")
    there.types(RECOVERY[0])
    assert there.ends() == 0
    assert asked == [("DELETE", FACTOR, {"password": PASSWORD, "code": RECOVERY[0]})]
    assert "the second factor is off" in there.shown
    assert PASSWORD not in there.shown


def test_a_code_that_is_needed_is_asked_for_at_the_terminal(served, terminal, codes):
    asked = served({f"DELETE /floor/locks/{ONE}": [NEEDED, None]})
    there = terminal("unlock", ONE)
    there.until("code of the second factor:")
    there.types(SHOWN)
    assert there.ends() == 0
    assert [each[0] for each in asked] == ["DELETE", "DELETE"]
    assert codes == [None, SHOWN]


def test_through_a_pipe_each_line_is_an_answer(served, piped, capsys):
    asked = served(ON)
    piped(f"{PASSWORD}\n{SHOWN}\n")
    assert run(["second-factor", "on"]) == 0
    assert [body for _, _, body in asked] == [{"password": PASSWORD}, {"code": SHOWN}]
    said = capsys.readouterr()
    assert said.out.splitlines()[-2:] == RECOVERY
    assert PASSWORD not in said.out + said.err


def test_a_pipe_that_ends_too_early_says_what_is_missing(served, piped, capsys):
    asked = served({f"DELETE {FACTOR}": None})
    piped(f"{PASSWORD}\n")
    assert run(["second-factor", "off"]) == 2
    assert capsys.readouterr().err == "omc: stdin must have a line for the code\n"
    assert asked == []


def test_a_refusal_leaves_nothing_shown_that_is_worth_keeping(served, piped, capsys):
    served({**ON, f"POST {FACTOR}/confirm": (403, "FORBIDDEN")})
    piped(f"{PASSWORD}\n{SHOWN}\n")
    assert run(["second-factor", "on"]) != 0
    assert RECOVERY[0] not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "words", "answer"),
    [
        ("DELETE /users/profile", ["account", "delete", "--password", PASSWORD], None),
        ("POST /floor/emergency-stop/reset", ["emergency-stop", "--reset"], {"halted": False, "problems": []}),
        (f"DELETE /floor/locks/{ONE}", ["unlock", ONE], None),
        ("POST /floor/reconciliation/accept", ["reconcile", "accept", ONE, "--json"], {"deployment_id": ONE}),
        (
            "POST /credentials/coinspot/validate",
            ["credentials", "validate", "coinspot", "--withdrawals-disabled", "--json"],
            {"is_validated": True},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_code_on_the_command_line_goes_along(served, codes, row, words, answer):
    served({row: [NEEDED, answer], "POST /auth/logout": None})
    assert run(words) != 0
    assert run([*words, "--code", SHOWN]) == 0
    assert codes[:2] == [None, SHOWN]


def test_the_code_that_was_given_is_the_one_that_is_sent_and_is_not_asked_for_again():
    sent = []

    def ask(code: str | None) -> None:
        sent.append(code)
        raise Failure("no", code="FORBIDDEN", details={"second_factor": "required"})

    with pytest.raises(Failure):
        with_code(ask, SHOWN)
    assert sent == [SHOWN]
