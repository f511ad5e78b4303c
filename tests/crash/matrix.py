"""The matrix: one platform under load, on which one thing after the other is killed, each at each point."""

import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

from tests.crash.exchange import INSTANT, Exchange
from tests.crash.people import Person
from tests.crash.points import ON_THE_BOOK, POINTS
from tests.crash.rows import Rows
from tests.crash.scene import Scene
from tests.crash.victims import VICTIMS
from tests.crash.waiting import NeverCame, until
from tests.end_to_end.platforms import Up

Cell = tuple[str, str]
"""A victim and a point."""
_DEPTH_AUD = Decimal(400)
_QUICK, _STEADY = {"fast_bars": 1, "slow_bars": 2}, {"fast_bars": 4, "slow_bars": 12}
_PACE_S = 0.1
_DAYS_EACH, _DAYS_AT_LEAST = 0.6, 1.0
_BAR_S = 300.0
_ORDERS_AFTER, _BARS_AFTER = 2, 10
_PATIENCE_S = 240.0


@dataclass(slots=True)
class Matrix:
    """`say` is told what happens. Violations are sentences by cell; those of the load have no point."""

    folder: Path
    seed: int
    cells: list[Cell]
    say: Callable[[str], None]
    violations: dict[Cell, list[str]] = field(default_factory=dict)
    _up: Up = field(init=False)
    _exchange: Exchange = field(init=False)
    _rows: Rows = field(init=False)
    _halted: Scene = field(init=False)
    _before: int = field(init=False)
    """How many orders the halted one had before."""

    def run(self) -> dict[Cell, list[str]]:
        """What was violated, cell by cell; empty lists where all holds."""
        days = max(_DAYS_AT_LEAST, _DAYS_EACH * len(self.cells))
        self._exchange = Exchange(self.folder, seed=self.seed, days=days, depth_aud=_DEPTH_AUD, pace_s=_PACE_S)
        self._exchange.start()
        try:
            self._start()
            self._rows = Rows(self.folder / "home")
            load = list(self._load())
            self._halt_somebody()
            for number, cell in enumerate(self.cells):
                self.violations[cell] = self._cell(number, *cell)
                self.say(f"{number + 1}/{len(self.cells)} {cell[0]}, {cell[1]}: {self._verdict(cell)}")
            self.violations["load", "to the end of the tape"] = self._to_the_end(load)
            self.say(f"the load, to the end of the tape: {self._verdict(('load', 'to the end of the tape'))}")
        finally:
            if hasattr(self, "_up"):
                self._up.stop()
            self._exchange.stop()
        return self.violations

    def _verdict(self, cell: Cell) -> str:
        return "; ".join(self.violations[cell]) or "holds"

    def _start(self) -> None:
        external = ("--external-exchange", self._exchange.url, "--external-token-file", str(self._exchange.token_file))
        known = {"OMC_MARKET_COINS": ",".join(sorted(self._exchange.venue.terms.market_coins))}
        if hasattr(self, "_up"):
            self._up.log.rename(self.folder / f"home until {time.time_ns()}.log")
        self._up = Up(self.folder / "home", *external, plays=(), **known)
        self._up.ready()

    def _load(self) -> Iterable[Scene]:
        """Deployments that trade all the time, one of them in slices."""
        owner = Person(self.folder / "home")
        sliced = {"slice_above_aud": "100", "slices": 3, "over_s": 0}
        for coin, execution in (("ETH", sliced), ("SOL", {}), ("XRP", {})):
            name = f"load {coin}"
            made = owner.deploy(name, coin, "390", _STEADY, **execution)
            yield Scene(self._exchange, self._rows, owner, name, made)

    def _halt_somebody(self) -> None:
        """Their kill switch is on from the start, and must be until the end."""
        self._halted = self._deployed("halted", "SOL", "100")
        self._halted.person.ask("POST", "/floor/emergency-stop", {"reason": "from the start"})
        self._before = len(self._exchange.taken(self._halted.account))

    def _cell(self, number: int, victim: str, point: str) -> list[str]:
        on_book = point in ON_THE_BOOK or number % 2 == 0
        coin, cash = ("BTC", "2000") if on_book else (INSTANT, "390")
        scene = self._deployed(f"cell {number}", coin, cash)
        try:
            self._crash(scene, victim, point)
            scene.goes_on(_ORDERS_AFTER, _BARS_AFTER * _BAR_S, _PATIENCE_S)
            scene.pause()
            found = scene.violations()
        except (NeverCame, AssertionError) as fault:
            found = [*scene.told, str(fault)]
            if self._up.process.poll() is not None:
                self._start()
            with suppress(AssertionError):
                scene.pause()
        return [*found, *self._still_halted()]

    def _deployed(self, name: str, coin: str, cash: str) -> Scene:
        person = Person(self.folder / "home")
        return Scene(self._exchange, self._rows, person, name, person.deploy(name, coin, cash, _QUICK))

    def _crash(self, scene: Scene, victim: str, point: str) -> None:
        """Kill it there, and bring back whatever does not come back by itself."""
        dying = VICTIMS[victim]
        scene.goes_on(1, _BAR_S, _PATIENCE_S)
        with closing(POINTS[point](scene)) as steps:
            next(steps)
            killed = dying.kill(self._up, scene)
            next(steps, None)
            if dying.ends_platform:
                dying.ended(self._up)
                self._start()
            else:
                dying.back(self._up, scene, killed)
            next(steps, None)

    def _still_halted(self) -> list[str]:
        """What became of the kill switch that nobody touches."""
        person, path = self._halted.person, f"{self._halted.path}/activate"
        refused = person.ask("POST", path, fine=(HTTPStatus.CONFLICT,))["status"] == "error"
        row = self._rows.one("SELECT reason FROM kill_switches WHERE user_id = %s", person.user_id)
        found = [] if refused and person.halted and row else ["a kill switch that nobody touched is off"]
        if len(self._exchange.taken(self._halted.account)) > self._before:
            found.append("a halted account traded")
        return found

    def _to_the_end(self, load: list[Scene]) -> list[str]:
        """The rest of the tape, as fast as it goes."""
        self._exchange.pace_s = 0.0
        player = self._exchange.player
        found = []
        try:
            until(lambda: player.clock().ended, "the end of the tape", 10 * _PATIENCE_S)
        except NeverCame as fault:
            found.append(f"{fault}: it stands at bar {player.position}")
        for scene in load:
            with suppress(NeverCame):
                until(lambda done=scene: done.done_until == player.clock().time, "the last bar", _PATIENCE_S)
            if scene.done_until != player.clock().time:
                found.append(f"{scene.name} did not trade to the end of the tape, but to {scene.done_until}")
            found += [f"{scene.name}: {each}" for each in scene.violations()]
        return found
