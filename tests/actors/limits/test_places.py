"""Where losses are measured from, whatever the store does meanwhile, and what they halt."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from actors.halts.known import Halts
from actors.limits.places import Places
from omc.errors import Unavailable
from omc.risk.exposure import Figures
from omc.risk.halt_files import MemoryHaltFiles
from omc.risk.kill_switch import HaltScope, MemoryKillSwitch
from omc.risk.limits import Bounds
from omc.risk.losses import TRIPPING
from omc.risk.store import BreachTold, Holdings, MemoryRiskStore, Place
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode
from tests.actors.mortal import START, USER, deployment

ON_PAPER, LIVE = deployment(1), replace(deployment(2), mode=Mode.LIVE, name="live")
PAPER_ACCOUNT, LIVE_ACCOUNT = Place(Mode.PAPER, USER), Place(Mode.LIVE, USER)
BOUNDS = Bounds(daily_loss_aud=Decimal(100))
UTC_DAYS = ZoneInfo("UTC")


class Still:
    def now(self) -> datetime:
        return START


@dataclass(slots=True)
class Store(MemoryRiskStore):
    """One that may be away, and tells what breaches were journaled."""

    away: bool = False
    breaches: list[BreachTold] = field(default_factory=list)

    async def remember(self, standings: Any, breaches: Sequence[BreachTold] = ()) -> None:
        if self.away:
            raise Unavailable("the database cannot be reached")
        self.stood.update(standings)
        self.breaches += breaches

    async def holdings(self, place: Place) -> Holdings:
        if self.away:
            raise Unavailable("the database cannot be reached")
        # Of this one call there is no other way to the class's own: slots.
        return await MemoryRiskStore.holdings(self, place)


@dataclass(frozen=True)
class Ports:
    risk: Store
    kill_switch: MemoryKillSwitch
    clock: Still


class Desk:
    """What losses do at one risk desk; `again` is its successor."""

    def __init__(self, *deployments: Deployment, store: Store | None = None) -> None:
        kept = MemoryDeploymentStore(Still(), kept={each.id: each for each in deployments})
        blotter = MemoryBlotter(kept, MemoryKillSwitch(START), None)  # type: ignore[arg-type]
        self.store = store or Store(kept, blotter)
        self.switch = MemoryKillSwitch(START)
        self.halts = Halts(MemoryHaltFiles())
        self.places = Places(Ports(self.store, self.switch, Still()), self.halts)  # type: ignore[arg-type]

    def again(self) -> "Desk":
        return Desk(store=self.store)

    async def look(
        self, place: Place, met: Deployment, equity: int, after: timedelta = timedelta(0), capital: int = 1_000
    ) -> Decimal:
        """Today's loss there, after what follows from it."""
        standing = await self.places.stand(place, Decimal(equity), Decimal(capital), START + after, UTC_DAYS)
        lost = standing.day_result_aud(Decimal(equity))
        figures = Figures(place.level, BOUNDS, Decimal(equity), lost, standing.drawdown(Decimal(equity)))
        for asked in TRIPPING:
            no = asked(figures)
            if no is not None and no.breach is not None:
                await self.places.breached(met, no.breach, no.reason, no.message)
        return -lost

    async def halted(self) -> list[tuple[HaltScope, Any]]:
        return [(each.scope, each.deployment_id) for each in await self.switch.on()]


@pytest.fixture
def desk() -> Desk:
    return Desk(ON_PAPER, LIVE)


async def test_a_days_opening_is_stored_as_soon_as_the_store_answers(desk: Desk) -> None:
    """It is no less missing there because it is known here."""
    own = Place.all_of(ON_PAPER)[0]
    desk.store.away = True
    with pytest.raises(Unavailable):
        await desk.look(own, ON_PAPER, 1_000)
    desk.store.away = False
    assert await desk.look(own, ON_PAPER, 950) == 50
    assert await desk.again().look(own, ON_PAPER, 940) == 60


async def test_a_breach_that_could_not_be_told_halts_and_is_told_later(desk: Desk) -> None:
    own = Place.all_of(ON_PAPER)[0]
    await desk.look(own, ON_PAPER, 1_000)
    desk.store.away = True
    await desk.look(own, ON_PAPER, 880)
    assert desk.halts.halted(USER, ON_PAPER.id) is not None
    desk.store.away = False
    await desk.look(own, ON_PAPER, 870)
    await desk.look(own, ON_PAPER, 860)
    assert [each.breach.figure for each in desk.store.breaches] == [130]
    assert await desk.halted() == [(HaltScope.DEPLOYMENT, ON_PAPER.id)]


async def test_a_loss_on_paper_halts_what_met_it_where_nobody_can_tell_who_is_live(desk: Desk) -> None:
    await desk.look(PAPER_ACCOUNT, ON_PAPER, 1_000)
    desk.store.away = True
    await desk.look(PAPER_ACCOUNT, ON_PAPER, 880)
    assert desk.halts.halted(USER, ON_PAPER.id) is not None
    assert desk.halts.halted(USER, LIVE.id) is None


@pytest.mark.parametrize("status", list(DeploymentStatus))
async def test_a_loss_on_paper_halts_no_account_that_may_trade_live_again(status: DeploymentStatus) -> None:
    desk = Desk(ON_PAPER, replace(LIVE, status=status))
    await desk.look(PAPER_ACCOUNT, ON_PAPER, 1_000)
    await desk.look(PAPER_ACCOUNT, ON_PAPER, 880)
    stopped = status is DeploymentStatus.STOPPED
    assert await desk.halted() == [(HaltScope.ACCOUNT, None) if stopped else (HaltScope.DEPLOYMENT, ON_PAPER.id)]


async def test_a_loss_of_everybodys_on_paper_halts_no_real_money(desk: Desk) -> None:
    await desk.look(Place(Mode.PAPER), ON_PAPER, 1_000)
    await desk.look(Place(Mode.PAPER), ON_PAPER, 880)
    assert await desk.halted() == [(HaltScope.DEPLOYMENT, ON_PAPER.id)]


async def test_a_reset_measures_what_tripped_anew_and_nothing_else(desk: Desk) -> None:
    """What its account has lost on paper tripped the deployment, so it is measured anew with it; what is lost live goes
    on to count."""
    for place, met in ((PAPER_ACCOUNT, ON_PAPER), (LIVE_ACCOUNT, LIVE), (Place.all_of(ON_PAPER)[0], ON_PAPER)):
        await desk.look(place, met, 1_000)
    await desk.look(LIVE_ACCOUNT, LIVE, 905)
    await desk.look(Place.all_of(ON_PAPER)[0], ON_PAPER, 950)
    await desk.look(PAPER_ACCOUNT, ON_PAPER, 880)
    assert await desk.halted() == [(HaltScope.DEPLOYMENT, ON_PAPER.id)]
    await desk.switch.reset(USER, deployment_id=ON_PAPER.id)
    await desk.places.forget(USER, ON_PAPER.id)
    assert await desk.look(PAPER_ACCOUNT, ON_PAPER, 880) == 0
    assert await desk.look(Place.all_of(ON_PAPER)[0], ON_PAPER, 950) == 50
    await desk.places.forget(USER, None)
    assert await desk.look(LIVE_ACCOUNT, LIVE, 910) == 90
    assert await desk.halted() == []
    await desk.look(LIVE_ACCOUNT, LIVE, 890)
    assert await desk.halted() == [(HaltScope.ACCOUNT, None)]
    await desk.places.forget(USER, None)
    assert await desk.look(LIVE_ACCOUNT, LIVE, 890) == 0


async def test_what_tripped_yesterday_is_measured_anew_by_todays_reset(desk: Desk) -> None:
    own = Place.all_of(ON_PAPER)[0]
    await desk.look(own, ON_PAPER, 1_000)
    await desk.look(own, ON_PAPER, 880)
    tomorrow = timedelta(days=1)
    await desk.look(own, ON_PAPER, 880, tomorrow)
    await desk.look(own, ON_PAPER, 850, tomorrow)
    desk = desk.again()
    await desk.places.forget(USER, ON_PAPER.id)
    assert await desk.look(own, ON_PAPER, 850, tomorrow) == 0


async def test_a_peak_that_nobody_stored_yet_outlasts_the_reset_of_another_loss(desk: Desk) -> None:
    own = Place.all_of(LIVE)[0]
    await desk.look(own, LIVE, 1_000)
    await desk.look(own, LIVE, 1_500)
    await desk.places.forget(USER, None)
    assert (await desk.store.standings([own]))[own].peak_aud == 1_500


async def test_a_clock_that_jumps_to_and_fro_over_midnight_begins_one_day(desk: Desk) -> None:
    """Its day begins once: a loss is neither forgotten, nor counted from another day's beginning."""
    own, day = Place.all_of(ON_PAPER)[0], timedelta(days=1)
    await desk.look(own, ON_PAPER, 1_000)
    assert await desk.look(own, ON_PAPER, 960, day) == 0
    for turn in range(4):
        assert await desk.look(own, ON_PAPER, 950 - turn, day * (turn % 2)) == 10 + turn
    assert await desk.again().look(own, ON_PAPER, 940, timedelta(0)) == 20
