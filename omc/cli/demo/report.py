"""What the run amounts to: the figures of report.json, asked for over HTTP."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from omc.cli import running
from omc.cli.demo.plan import Plan
from omc.cli.demo.play import Play
from omc.cli.lab import wait
from omc.cli.outcome import Failure
from omc.cli.platform import Platform


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` is report.json; the rest is what its pictures are drawn from."""

    figures: dict[str, Any]
    floor_equity: Mapping[str, list[str]]
    backtest_equity: Mapping[str, list[str]]
    trades: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        """Whether the floor did what the backtest says, and our books are the exchange's."""
        return not (self.figures["parity"]["differences"] or self.figures["reconciliation"]["differences"])

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.figures, indent=2) + "\n")


def of(play: Play, home: Path) -> Report:
    there, which = play.there, str(play.deployment["id"])
    parity = there.get(f"/floor/algorithms/{which}/parity")
    figures = {
        "tape": {name: play.tape[name] for name in ("coins", "bars", "start", "end", "source")},
        "boot_s": round(play.platform.boot_s, 2),
        "sweep": {
            "points": play.sweep["done"],
            "seconds": play.sweep["seconds"],
            "best": play.sweep["best"],
        },
        "promotion": [
            {name: gate[name] for name in ("gate", "figure", "threshold", "passed")} for gate in play.promotion["gates"]
        ],
        "floor": _floor(there, which, play.plan),
        "parity": {name: parity[name] for name in ("backtest_trades", "floor_trades", "differences")},
        "reconciliation": {"differences": _reconciliation(there, which)},
        "actors": actors(home),
    }
    return Report(
        figures=figures,
        floor_equity=there.get(f"/floor/algorithms/{which}/equity"),
        backtest_equity=_backtest_equity(play, parity),
        trades=list(there.everything(f"/floor/algorithms/{which}/trades")),
    )


def actors(home: Path) -> list[dict[str, str]]:
    """The floor's actors by name, as Ray's dashboard lists them."""
    run = running.record(home)
    if run is None:
        raise Failure("the platform is gone")
    token = (home / "keys" / "ray.token").read_text().strip()
    try:
        answer = httpx.get(
            f"{run['dashboard']}/api/v0/actors",
            params={"detail": "0", "limit": "1000"},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30.0,
            trust_env=False,
        )
        rows = answer.raise_for_status().json()["data"]["result"]["result"]
    except (httpx.HTTPError, ValueError, KeyError) as fault:
        raise Failure(f"Ray's dashboard does not list its actors: {fault}") from None
    named = {row["name"]: row["state"] for row in rows if row["ray_namespace"] == "omc" and row["name"]}
    return [{"name": name, "state": state} for name, state in sorted(named.items())]


def _floor(there: Platform, which: str, plan: Plan) -> dict[str, Any]:
    status = there.get(f"/floor/algorithms/{which}/status")
    earned = there.get("/floor/pnl/summary", deployment_id=which)
    counts, latency = status["counts"], status["decision_to_order_ms"]
    return {
        "intents": counts["intents"],
        "denied": counts["denied"],
        "orders": counts["intents"] - counts["denied"],
        "fills": counts["trades"],
        "fees_aud": earned["fees_aud"],
        "realized_pnl_aud": earned["realized_pnl_aud"],
        "unrealized_pnl_aud": earned["unrealized_pnl_aud"],
        "equity_aud": earned["equity_aud"],
        "decision_to_order_ms": {"p50": latency["p50"], "p99": latency["p99"]},
        "limits": dict(plan.limits),
    }


def _reconciliation(there: Platform, which: str) -> list[str]:
    """Differences between our books and the exchange's; that they could not be compared is one."""
    row = there.get("/floor/reconciliation", deployment_id=which)["items"][0]
    return [*row["differences"], *([row["error"]] if row.get("error") else [])]


def _backtest_equity(play: Play, parity: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """The curve of the same algorithm over the same bars, as the lab simulates it."""
    body = {
        "coins": play.tape["coins"],
        "start_date": parity["start"],
        "end_date": parity["end"],
        "initial_cash": play.plan.cash_aud,
        "rebalance_band": play.plan.rebalance_band,
    }
    asked = play.there.post(f"/lab/algorithms/{play.deployment['algorithm_id']}/backtest", body)
    wait(play.there, f"/lab/backtests/{asked['id']}", "backtest", 1)
    curve: Mapping[str, list[str]] = play.there.get(f"/lab/backtests/{asked['id']}/equity")
    return curve
