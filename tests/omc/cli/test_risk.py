"""The emergency stop from the command line, with the platform or without, and the limits."""

import base64
import json
import os
import stat
from pathlib import Path
from uuid import UUID

import pytest

from omc.adapters.halt_files import FolderHaltFiles
from omc.cli.main import run
from omc.cli.session import SessionFile, Tokens
from omc.risk.halt_files import ResetAsked
from omc.risk.kill_switch import HaltLevel

ME = UUID(int=7)
STOPPED = {"paused_deployments": ["x"], "cancelled_orders": 2, "sold": [], "problems": ["the moon is full"]}
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose platform does not answer, and a terminal at which somebody signed in."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("OMC_HOME", str(tmp_path))
    monkeypatch.setenv("OMC_URL", NOBODY)
    sign_in(tmp_path, NOBODY)
    return tmp_path


def sign_in(home: Path, url: str) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": str(ME)}).encode()).decode().rstrip("=")
    SessionFile(home / "session.json").save(Tokens(url, "a@b.test", f"x.{claims}.y", "r", 4e9))


def test_a_stop_says_what_it_did_and_what_it_could_not_do(served, capsys):
    asked = served({"POST /floor/emergency-stop": STOPPED})
    assert run(["emergency-stop", "--liquidate", "--reason", "a bad feeling"]) == 0
    assert asked == [
        ("POST", "/floor/emergency-stop", {"liquidate": True, "reason": "a bad feeling", "level": "all"}),
    ]
    assert "1 paused, 2 orders cancelled, 0 sold" in (said := capsys.readouterr().out)
    assert "the moon is full" in said


def test_one_deployment_is_stopped_by_its_name(served):
    asked = served(
        {
            "GET /floor/deployments": {"items": [{"id": str(ME), "deployment_name": "trend"}], "total": 1, "pages": 1},
            "POST /floor/emergency-stop": STOPPED,
        }
    )
    assert run(["emergency-stop", "--adding", "--deployment", "trend"]) == 0
    assert asked[-1][2] == {
        "liquidate": False,
        "reason": "asked for at the command line",
        "level": "adding",
        "deployment_id": str(ME),
    }


def test_a_reset_tells_what_halts_it_all_the_same(served, capsys):
    still = {"scope": "platform", "since": "2025-01-01T00:00:00Z", "reason": "maintenance"}
    served({"POST /floor/emergency-stop/reset": {"halted": True, "still": still, "problems": []}})
    assert run(["emergency-stop", "--reset"]) == 0
    assert "still halted (platform) since 2025-01-01T00:00:00Z: maintenance" in capsys.readouterr().out


def test_without_a_platform_a_file_halts_the_account(home, capsys):
    assert run(["emergency-stop", "--reason", "smoke"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert (halt.user_id, halt.reason, halt.level) == (ME, "smoke", HaltLevel.ALL)
    path = home / "halts" / str(ME)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "was not reached" in capsys.readouterr().out


def test_a_file_that_is_there_already_keeps_its_moment_unless_this_one_stops_more(home):
    assert run(["emergency-stop", "--adding", "--reason", "first"]) == 0
    assert run(["emergency-stop", "--adding", "--reason", "second"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert (halt.reason, halt.level) == ("first", HaltLevel.ADDING)
    assert run(["emergency-stop", "--reason", "third", "--json"]) == 0
    assert run(["emergency-stop", "--adding", "--reason", "fourth"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert (halt.reason, halt.level) == ("third", HaltLevel.ALL)


@pytest.mark.parametrize("session", [None, "{", '{"url": 1}'])
def test_where_nobody_is_signed_in_everything_is_halted(home, capsys, session):
    (home / "session.json").unlink()
    if session:
        (home / "session.json").write_text(session)
    assert run(["emergency-stop"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert halt.user_id is None
    assert "it holds for the whole platform" in capsys.readouterr().out


def test_a_database_that_is_away_does_not_keep_the_file_from_halting(served, tmp_path):
    served({"POST /floor/emergency-stop": (503, "UNAVAILABLE")})
    (tmp_path / "run").mkdir()
    sign_in(tmp_path, os.environ["OMC_URL"])
    assert run(["emergency-stop"]) == 0
    assert [halt.user_id for halt in FolderHaltFiles(tmp_path).on()] == [ME]


def test_a_platform_that_runs_here_is_halted_before_it_is_asked(served, tmp_path, monkeypatch):
    seen = []

    def answer() -> dict[str, object]:
        seen.extend(FolderHaltFiles(tmp_path).on())
        return STOPPED

    served({"POST /floor/emergency-stop": answer})
    sign_in(tmp_path, os.environ["OMC_URL"])
    monkeypatch.setattr("omc.cli.running.url", lambda _: os.environ["OMC_URL"])
    assert run(["emergency-stop"]) == 0
    assert [halt.user_id for halt in seen] == [ME]


def test_where_no_platform_has_its_home_nothing_is_pretended(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OMC_HOME", str(tmp_path))
    sign_in(tmp_path, NOBODY)
    assert run(["emergency-stop", "--url", NOBODY]) == 3
    assert run(["emergency-stop", "--platform"]) == 2
    assert not (tmp_path / "halts").exists()
    assert "no platform answers" in capsys.readouterr().err


def test_a_stop_that_cannot_be_written_says_so(home, capsys):
    (home / "halts").write_text("no folder")
    assert run(["emergency-stop"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_the_platform_is_halted_and_reset_by_who_has_its_home(home, capsys):
    assert run(["emergency-stop", "--platform", "--reason", "maintenance"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert (halt.user_id, halt.reason) == (None, "maintenance")
    assert run(["emergency-stop", "--platform", "--reset", "--reason", "done", "--json"]) == 0
    asked = FolderHaltFiles(home).reset_asked()
    assert isinstance(asked, ResetAsked)
    assert (asked.reason, " on " in asked.by) == ("done", True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"halted": True}
    assert FolderHaltFiles(home).nothing_but((None, None), asked.mark)
    assert run(["emergency-stop", "--platform", "--liquidate"]) == 2


@pytest.mark.parametrize("again", ["the same words", "a hand"])
def test_a_reset_does_not_mean_a_halt_that_is_made_after_it_was_asked_for(home, again):
    run(["emergency-stop", "--platform", "--reason", "bad deploy"])
    run(["emergency-stop", "--platform", "--reset"])
    files = FolderHaltFiles(home)
    asked = files.reset_asked()
    if again == "a hand":
        (home / "HALT").touch()
    else:
        assert run(["emergency-stop", "--platform", "--reason", "bad deploy"]) == 0
    assert asked is not None
    assert not files.nothing_but((None, None), asked.mark)
    assert files.on()[-1].reason == "bad deploy"


@pytest.mark.parametrize("odd", ["HALT", "halts/platform~", "halts/a b"])
def test_a_reset_means_every_file_that_halts_everybody(home, odd):
    run(["emergency-stop", "--platform"])
    (home / odd).touch()
    (home / "halts" / str(ME)).touch()
    run(["emergency-stop", "--platform", "--reset"])
    asked = FolderHaltFiles(home).reset_asked()
    assert asked is not None
    assert asked.mark == FolderHaltFiles(home).mark((None, None))


def test_what_halts_the_platform_after_a_reset_is_told(home, capsys, monkeypatch):
    run(["emergency-stop", "--platform"])
    monkeypatch.setattr("omc.cli.running.record", lambda _: {"pid": 1})

    def answered(_: float) -> None:
        halts = home / "halts"
        (halts / ".reset.answer").write_text('{"still": "trading is halted (platform): it was started so"}')
        (halts / "reset.request").unlink(missing_ok=True)

    monkeypatch.setattr("omc.cli.risk.time.sleep", answered)
    assert run(["emergency-stop", "--platform", "--reset"]) == 0
    assert "goes on to be halted: trading is halted (platform): it was started so" in capsys.readouterr().out


def test_a_halt_that_says_nothing_is_not_weakened(home):
    (home / "halts").mkdir()
    (home / "halts" / str(ME)).touch()
    assert run(["emergency-stop", "--adding", "--reason", "carefully"]) == 0
    (halt,) = FolderHaltFiles(home).on()
    assert (halt.level, halt.reason) == (HaltLevel.ALL, "carefully")


def test_somebodys_file_says_that_it_is_only_his(home, capsys):
    assert run(["emergency-stop"]) == 0
    said = capsys.readouterr().out
    assert f"it stops what is yours (user {ME}), and nobody else's" in said
    assert "nothing is sent any more" not in said


def test_what_leaves_sales_alone_sells_nothing(home, capsys):
    assert run(["emergency-stop", "--adding", "--liquidate"]) == 2
    assert not (home / "halts").exists()
    assert "--liquidate sells it" in capsys.readouterr().err


def test_limits_are_changed_by_name(served, capsys):
    shown = {
        "most": None,
        "platform": {},
        "account": {"drawdown": 0.2},
        "time_zone": "UTC",
        "deployments": [{"deployment_name": "trend", "risk_limits": {"daily_loss_aud": "5.00000000"}}],
    }
    asked = served({"PUT /floor/risk/limits": shown, "GET /floor/risk/limits": shown})
    words = ["drawdown=0.2", "orders_a_minute=30", "daily_loss_aud=5.50", "cool_down_s="]
    assert run(["limits", *words, "--time-zone", "Australia/Sydney"]) == 0
    assert asked[0][2] == {
        "limits": {"drawdown": 0.2, "orders_a_minute": 30, "daily_loss_aud": "5.50", "cool_down_s": None},
        "time_zone": "Australia/Sydney",
    }
    assert run(["limits"]) == 0
    assert "trend" in capsys.readouterr().out
    for bad in ("drawdown", "drawdown=much"):
        assert run(["limits", bad]) == 2


def test_wider_limits_of_real_money_go_with_a_code(served, capsys):
    shown = {"most": None, "platform": {}, "account": {}, "time_zone": "UTC", "deployments": []}
    served({"PUT /floor/risk/limits": [(403, "FORBIDDEN", {"second_factor": "required"}), shown]})
    assert run(["limits", "drawdown="]) != 0
    assert run(["limits", "drawdown=", "--code", "123456"]) == 0


def test_risk_and_its_events_are_shown(served, capsys):
    row = {
        "mode": "paper",
        "deployment_name": "trend",
        "status": "active",
        "halted": True,
        "equity_aud": "100.00000000",
        "held_aud": "5.00000000",
        "day_result_aud": None,
        "highest_equity_aud": None,
        "daily_loss_limit_aud": "5.00000000",
        "drawdown": None,
        "drawdown_limit": None,
    }
    halt = {"scope": "account", "level": "adding", "since": "2025-01-01T00:00:00Z", "reason": "5.00 AUD are lost"}
    status = {"halts": [halt], "day": "2025-01-01", "time_zone": "UTC", "account": [row], "deployments": [row]}
    breach = {"level": "account", "limit": "daily_loss_aud", "figure": "5.00", "threshold": "5"}
    event = {"recorded_at": "2025-01-01T00:00:00Z", "kind": "breach", "data": breach}
    served(
        {
            "GET /floor/risk/status": status,
            "GET /floor/risk/events": {"items": [event], "total": 1, "pages": 1},
        }
    )
    assert run(["risk"]) == 0
    assert run(["risk-events", "--kind", "breach"]) == 0
    said = capsys.readouterr().out
    assert "adding to positions is halted (account) since 2025-01-01T00:00:00Z: 5.00 AUD are lost" in said
    assert "account: daily_loss_aud is 5.00, the limit 5" in said
