"""What the run amounts to: the figures of report.json and the page beside them, asked for over HTTP."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from omc.cli import running
from omc.cli.demo.page import with_faults, with_gates
from omc.cli.demo.plan import Plan
from omc.cli.demo.play import Play
from omc.cli.outcome import Failure
from omc.cli.platform import Platform

_GATE = ("gate", "figure", "threshold", "passed")


@dataclass(frozen=True, slots=True)
class Report:
    """`figures` is report.json, `page` is report.html: the floor beside its backtest, and the gates to real money."""

    figures: dict[str, Any]
    page: str

    @property
    def differences(self) -> list[str]:
        """Between the floor and the backtest, and between our books and the exchange's."""
        return [*self.figures["parity"]["differences"], *self.figures["reconciliation"]["differences"]]

    @property
    def holds(self) -> bool:
        """Whether the floor did what the backtest says, and our books are the exchange's."""
        return not self.differences

    def write(self, folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps(self.figures, indent=2) + "\n")
        (folder / "report.html").write_text(self.page)


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
        }
        if play.sweep
        else None,
        "promotion": [{name: gate[name] for name in _GATE} for gate in play.promotion["gates"]],
        "deployable": [{name: gate[name] for name in (*_GATE, "why")} for gate in play.real_money["gates"]],
        "tries": play.real_money["tries"],
        "floor": _floor(there, which, play.plan),
        "parity": {name: parity[name] for name in ("backtest_trades", "floor_trades", "differences")},
        "reconciliation": {"differences": _reconciliation(there, which)},
        "actors": actors(home),
    }
    if play.own is not None:
        trades, metrics = play.backtest["trades"], play.backtest["metrics"]
        figures |= {"algorithm": str(play.own.file), "backtest": {"trades": trades, "metrics": metrics}}
    if play.struck:
        figures["faults"] = play.struck
    page = with_gates(
        there.text(f"/floor/algorithms/{which}/report"), play.real_money["gates"], play.real_money["tries"]
    )
    found = Report(figures=figures, page=page)
    return replace(found, page=with_faults(page, play.struck, len(found.differences))) if play.struck else found


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
    row = there.get("/floor/reconciliation", deployment_id=which, now="true")["items"][0]
    return [*row["differences"], *([row["error"]] if row.get("error") else [])]
