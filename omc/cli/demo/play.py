"""The demo's steps, each asked for over HTTP as any client would."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from omc.cli import code, show
from omc.cli.algorithm import CUSTOM, checked_of
from omc.cli.demo.child import PlatformProcess
from omc.cli.demo.faults import Faults, by_kind
from omc.cli.demo.own import Own, Searched, searched
from omc.cli.demo.plan import Plan
from omc.cli.lab import gates
from omc.cli.outcome import Failure
from omc.cli.platform import Platform
from omc.cli.waiting import wait

_ASK_AGAIN_S = 0.25
# A bar takes milliseconds; killed actors are back within seconds.
_STUCK_AFTER_S = 180.0
_RECONCILED_WITHIN_S = 60.0


@dataclass(slots=True)
class Play:
    """One run. What each step answered is kept for the report."""

    there: Platform
    platform: PlatformProcess
    tape: Mapping[str, Any]
    plan: Plan = field(default_factory=Plan)
    own: Own | None = None
    """Somebody's own algorithm, instead of the plan's."""
    faults: Faults | None = None
    """Of the exchange, while the floor trades."""
    coins: list[str] = field(default_factory=list)
    backtest: dict[str, Any] = field(default_factory=dict)
    """Of an own algorithm, with the parameters that it comes with."""
    sweep: dict[str, Any] = field(default_factory=dict)
    """Nothing where there was nothing to search."""
    promotion: dict[str, Any] = field(default_factory=dict)
    real_money: dict[str, Any] = field(default_factory=dict)
    """What the step from paper to real money would answer."""
    deployment: dict[str, Any] = field(default_factory=dict)
    struck: dict[str, Any] = field(default_factory=dict)
    """What the exchange did wrong."""

    def run(self) -> None:
        self._sign_in()
        self.coins = list(self.tape["coins"])
        if self.own is None:
            algorithm = self._built_in()
            self._search(algorithm, Searched(self.plan.space, "grid"))
        else:
            algorithm = self._of_code(self.own)
            described = self.there.get(f"/lab/algorithms/{algorithm}/description")
            self.coins = self.coins[: described["most_coins"]]
            self._test(algorithm)
            self._search(algorithm, searched(described, self.plan.own_points))
        self._promote(algorithm)
        if self.faults is None:
            self._deploy(algorithm)
            self._trade()
        else:
            self._trade_against(self.faults, algorithm)

    def _trade_against(self, faults: Faults, algorithm: str) -> None:
        faults.begin()
        try:
            self._deploy(algorithm)
            self._trade()
        finally:
            self.struck = faults.end()
        show.line(f"faults     {self.struck['total']}: {by_kind(self.struck['counts'])}")
        self._reconcile()

    def _reconcile(self) -> None:
        """Wait until the floor knows what the exchange did: what was lost is found soon after the last fault."""
        deadline = time.monotonic() + _RECONCILED_WITHIN_S
        while time.monotonic() < deadline:
            rows = self._asked("/floor/reconciliation", deployment_id=self.deployment["id"], now="true").get("items")
            if rows and not any(row["differences"] or row.get("error") for row in rows):
                return
            time.sleep(_ASK_AGAIN_S)

    def _sign_in(self) -> None:
        email, password = "demo@example.org", secrets.token_urlsafe(24)
        self.there.register(email, password, "Demo")
        self.there.log_in(email, password)

    def _built_in(self) -> str:
        made = self.there.post("/lab/algorithms", {"name": "demo", "algorithm_type": self.plan.algorithm_type})
        return str(made["id"])

    def _of_code(self, own: Own) -> str:
        """Failure, with all that was found, when it is not valid."""
        body = {"name": own.file.stem, "algorithm_type": CUSTOM, "code": own.source}
        with self.there.patiently("reading the code"):
            made = self.there.post("/lab/algorithms", body)
        checked = checked_of(self.there, made["id"])
        if not checked["valid"]:
            found = checked["findings"]
            code.findings(found, own.source, str(own.file))
            raise Failure(f"{own.file}: {code.counted(found)}", code="NOT_VALID", details=checked)
        parameters = ", ".join(f"{name} {value}" for name, value in made["parameters"].items()) or "no parameters"
        show.line(f"algorithm  {own.file}: valid; {parameters}")
        return str(made["id"])

    def _window(self) -> dict[str, Any]:
        return {
            "coins": self.coins,
            "start_date": self.tape["start"],
            "end_date": self.tape["history_end"],
            "initial_cash": self.plan.cash_aud,
            "rebalance_band": self.plan.rebalance_band,
        }

    def _test(self, algorithm: str) -> None:
        began = time.monotonic()
        asked = self.there.post(f"/lab/algorithms/{algorithm}/backtest", self._window())
        self.backtest = wait(self.there, f"/lab/backtests/{asked['id']}", "backtest", 1)
        metrics = {name: self.backtest["metrics"].get(name) for name in ("sharpe", "max_drawdown")}
        figures = ", ".join(f"{name} {'–' if value is None else f'{value:.4f}'}" for name, value in metrics.items())
        took = f"{time.monotonic() - began:.2f} s"
        show.line(f"backtest   {self.backtest['trades']} trades, {figures} in {took}")

    def _search(self, algorithm: str, what: Searched | None) -> None:
        if what is None:
            show.line("sweep      none: the code has no numbers that could be searched")
            return
        began = time.monotonic()
        body = self._window() | {
            "space": what.space,
            "method": what.method,
            "objective": self.plan.objective,
            "folds": self.plan.folds_of(int(self.tape["history_bars"])),
        }
        asked = self.there.post(
            f"/lab/algorithms/{algorithm}/sweeps", body if what.points is None else body | {"points": what.points}
        )
        self.sweep = wait(self.there, f"/lab/sweeps/{asked['id']}", "sweep", asked["points"])
        self.sweep["seconds"] = round(time.monotonic() - began, 2)
        best = self.sweep["best"]
        chosen = best["parameters"] if best else f"none: all {self.sweep['failed']} failed"
        show.line(f"sweep      {self.sweep['done']} points in {self.sweep['seconds']} s; best {chosen}")

    def _promote(self, algorithm: str) -> None:
        body = {"sweep_id": self.sweep["id"]} if self.sweep else {}
        try:
            with self.there.patiently("measuring for the gates"):
                self.promotion = self.there.post(f"/lab/algorithms/{algorithm}/promote", body)
        except Failure as failure:
            if failure.details.get("gates"):
                gates(failure.details["gates"])
            raise
        passed = ", ".join(f"{gate['gate']} {gate['figure']}" for gate in self.promotion["gates"])
        show.line(f"promotion  {self.promotion['algorithm']['status']}: {passed}")
        with self.there.patiently("measuring for the gates"):
            self.real_money = self.there.get(f"/lab/algorithms/{algorithm}/promotion")
        closed = [gate["gate"] for gate in self.real_money["gates"] if not gate["passed"]]
        said = f"not yet, for {', '.join(closed)}" if closed else "every gate would pass"
        show.line(f"real money {said}; {self.real_money['tries']['tries']} tries counted")

    def _deploy(self, algorithm: str) -> None:
        body = {
            "algorithm_id": algorithm,
            "deployment_name": "demo",
            "coins": self.coins,
            "mode": "paper",
            "cash": self.plan.cash_aud,
            "risk_limits": self.plan.limits,
            "rebalance_band": self.plan.rebalance_band,
        }
        self.deployment = self.there.post("/floor/deploy", body, key=f"demo-{algorithm}")
        show.line(f"deployed   on paper with {self.plan.cash_aud} AUD")

    def _trade(self) -> None:
        """Wait until the tape is played and the trader is done with its last bar."""
        which = f"/floor/algorithms/{self.deployment['id']}/status"
        began = moved = time.monotonic()
        position = -1
        bar = Progress(
            TextColumn("floor"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=show.err,
            transient=True,
        )
        first = int(self.tape["history_bars"])
        with bar:
            task = bar.add_task("", total=self.tape["floor_bars"])
            while True:
                self.platform.check()
                now = self._asked("/collectors/exchange")
                at = now.get("tape_position") or 0
                if at != position:
                    position, moved = at, time.monotonic()
                    bar.update(task, completed=max(0, position + 1 - first))
                if now.get("state") == "ended" and self._asked(which).get("finished_bar") == self.tape["end"]:
                    break
                self._check_alive(now, self._asked(which) if time.monotonic() - moved > _STUCK_AFTER_S else {}, moved)
                time.sleep(_ASK_AGAIN_S)
        seconds = time.monotonic() - began
        show.line(f"floor      {self.tape['floor_bars']} bars in {seconds:.1f} s")

    def _asked(self, path: str, **query: Any) -> dict[str, Any]:
        """An answer; nothing while an actor is away, which the tape waits for."""
        try:
            answer: dict[str, Any] = self.there.get(path, **query)
        except Failure as failure:
            if failure.code not in ("UNAVAILABLE", "UNREACHABLE"):
                raise
            return {}
        return answer

    def _check_alive(self, collector: Mapping[str, Any], status: Mapping[str, Any], moved: float) -> None:
        if time.monotonic() - moved > _STUCK_AFTER_S:
            reason = status.get("last_error") or collector.get("last_error") or "nobody says why"
            raise Failure(f"the tape has not moved for {_STUCK_AFTER_S:.0f} s: {reason}")
