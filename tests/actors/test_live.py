"""Real money on the whole floor in one process: two deployments of one owner, one account, and the key that opens it.

The exchange is a sandbox on a socket, which stands in for the real one.
"""

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import uvicorn

from actors.risk import RiskActor
from omc.access.credential import COINSPOT, Access, Keyhole, Use, sealed
from omc.access.credential_store import MemoryCredentialStore
from omc.adapters.coinspot.exchange.app import SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.keys import KeyRing
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.exchange.server import listening
from omc.adapters.coinspot.live import LiveVenues
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.key_file import ensure_key
from omc.adapters.vault import FileVault
from omc.errors import Conflict, Unavailable
from omc.market.money import ZERO, eight_places
from omc.risk.verdict import DenialReason, Denied
from omc.trading.by_mode import ByMode
from omc.trading.deployment import DeploymentStatus, Mode, trader_name
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.reconciliation.books import ours
from tests.actors.mortal import TERMS, USER, Fuse, House, Written, deployment, market

KEY, SECRET = "planted-key-of-an-owner", "planted-secret-of-an-owner"
CASH = Decimal("25000.00")
ROWS = 25
KRAKEN = Keyhole(Use.EXCHANGE, "kraken")


@dataclass
class Live:
    """A floor whose live accounts are at `exchange`, where the owner has `CASH`."""

    house: House
    exchange: SandboxExchange
    venues: LiveVenues
    store: MemoryCredentialStore

    @property
    def wallet(self) -> Any:
        return self.exchange.venue.wallet("owner")

    def books(self) -> dict[str, Decimal]:
        """Of all live deployments together."""
        total: dict[str, Decimal] = {}
        for each in self.house.deployments.kept.values():
            account = self.house.blotter._accounts.get(each.id)
            held = ours(account) if account else {"AUD": each.cash_aud}
            total = {name: total.get(name, ZERO) + held.get(name, ZERO) for name in total.keys() | held.keys()}
        return total


@asynccontextmanager
async def floor(tmp_path, weights_of, tape, **fuses: Fuse) -> AsyncIterator[Live]:
    house = House(tape, lambda _, parameters: Written(weights_of[parameters.get("which", 0)]), **fuses)
    async with trading_live(house, tmp_path) as live:
        yield live


@asynccontextmanager
async def trading_live(house: House, tmp_path) -> AsyncIterator[Live]:
    """`house` with its live accounts at a sandbox exchange on a socket, which plays the house's tape."""
    tape = house.tape
    ring, player = KeyRing(), TapePlayer(tape, house.exchange.paper, 0, lockstep=True)
    control = ControlDesk(player, ring, None)
    control.add_key("owner", CASH, KEY, SECRET)
    exchange = SandboxExchange(house.exchange.paper, ring, control)
    bound = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(exchange, lifespan="off", log_level="critical"))
    serving = asyncio.create_task(server._serve([bound]))
    ensure_key(tmp_path / "vault.key")
    vault, store = FileVault(tmp_path / "vault.key"), MemoryCredentialStore(house.clock, house.deployments)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    live = LiveVenues(store, vault, MemoryNonces(leases=house.leases), TERMS, base_url=url, lag_s=0.0)
    house.exchange = Routed(house.exchange, ByMode(house.exchange, live))
    secrets = {"api_key": KEY, "api_secret": SECRET}
    made = sealed(COINSPOT, USER, secrets, vault, at=house.clock.now(), withdrawals_disabled=True)
    await store.add(made)
    try:
        yield Live(house, exchange, live, store)
    finally:
        await house.close()
        await live.close()
        server.should_exit = True
        await serving


class Routed:
    """The exchange of a house, whose accounts others open."""

    def __init__(self, exchange: Any, venues: ByMode) -> None:
        self._exchange, self._venues = exchange, venues

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)

    async def latest(self) -> Any:
        return await self._exchange.latest()

    async def clock(self) -> Any:
        return await self._exchange.clock()

    async def step(self, position: int) -> Any:
        return await self._exchange.step(position)

    async def open(self, deployment: Any) -> Any:
        return await self._venues.open(deployment)


def two_minds():
    """A tape, and what each of two deployments wants at each of its times."""
    tape, weights = market(ROWS, seed=3)
    _, others = market(ROWS, seed=4)
    return tape, [dict(zip(tape.frame.times, each, strict=True)) for each in (weights, others)]


def both() -> list[Any]:
    live = {"mode": Mode.LIVE, "cash_aud": Decimal("10000.00")}
    return [deployment(number, parameters={"which": number - 1}, **live) for number in (1, 2)]


async def until(met: Any, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await met():  # noqa: ASYNC110 - no store tells of itself
            await asyncio.sleep(0.002)


async def activated(house: House, playing: asyncio.Task[None]) -> None:
    """Have what is paused go on to the end. A trader that hears of its pause late pauses it once more."""

    async def played() -> bool:
        for each in house.deployments.kept.values():
            if each.status is DeploymentStatus.PAUSED:
                await house.deployments.set_status(each.id, DeploymentStatus.ACTIVE, "a test")
        return playing.done()

    await until(played)
    await playing


def alone(live: Live, number: int) -> list[Any]:
    """A deployment's fills, without what each venue calls them."""
    made = deployment(number)
    return [
        (each.executed_at, each.coin, each.side, each.quantity, each.total_aud) for each, _ in live.house.fills(made)
    ]


def _traded(house: House, number: int) -> list[Any]:
    fills = [fill for fill, _ in house.fills(deployment(number))]
    return [(each.executed_at, each.coin, each.side, each.quantity, each.total_aud) for each in fills]


async def on_paper(number: int) -> list[Any]:
    """The same, on paper and with an account of its own."""
    tape, minds = two_minds()
    house = House(tape, lambda _, parameters: Written(minds[parameters["which"]]))
    try:
        made = deployment(number, parameters={"which": number - 1})
        await house.play(made)
        return [
            (each.executed_at, each.coin, each.side, each.quantity, each.total_aud) for each, _ in house.fills(made)
        ]
    finally:
        await house.close()


async def test_two_deployments_of_one_account_trade_as_each_would_alone(tmp_path):
    tape, minds = two_minds()
    async with floor(tmp_path, minds, tape) as live:
        await live.house.play(*both())
        for number in (1, 2):
            assert alone(live, number) == await on_paper(number)
            assert len(alone(live, number)) > 10
        books = live.books()
        held = {"AUD": live.wallet.cash_aud - (CASH - 20_000), **live.wallet.coins}
        assert {name: amount for name, amount in books.items() if amount} == {
            name: amount for name, amount in held.items() if amount
        }
        assert (await live.store.get(USER, COINSPOT)).access is Access.FULL


@pytest.mark.parametrize(
    "at", [3, -19, *(pytest.param(at, marks=pytest.mark.long) for at in (44, -7, 12, 31, -58, 90))]
)
async def test_whoever_dies_nothing_of_a_shared_account_is_traded_twice(tmp_path, at):
    tape, minds = two_minds()
    async with floor(tmp_path, minds, tape, risk_fuse=Fuse(at=(at,)), trader_fuse=Fuse(at=(at + 5,))) as live:
        await live.house.play(*both())
        for number in (1, 2):
            assert alone(live, number) == await on_paper(number)
        assert live.books()["AUD"] == live.wallet.cash_aud - (CASH - 20_000)


async def test_a_key_that_is_withdrawn_pauses_everything_and_its_successor_goes_on(tmp_path):
    tape, minds = two_minds()
    mine = both()
    async with floor(tmp_path, minds, tape) as live:
        house = live.house
        playing = asyncio.create_task(house.play(*mine))

        async def traded() -> bool:
            return len(live.wallet.executions) > 6

        async def paused() -> bool:
            return not await house.deployments.active()

        await until(traded)
        withdrawn = live.exchange.ring.keys.pop(KEY)
        await until(paused)
        for each in mine:
            stored = await house.deployments.get(each.id)
            assert stored.status is DeploymentStatus.PAUSED
            assert "invalid key" in (stored.last_error or "")
            assert KEY not in (stored.last_error or "")
        told = [entry for _, entry in house.deployments.journal.lines if entry.kind == "credentials"]
        assert told[-1].data["access"] == "refused"
        reasons = [entry.data.get("reason") for _, entry in house.deployments.journal.lines]
        assert len([each for each in reasons if each and "coinspot does not let its key trade" in each]) == 2
        live.exchange.ring.keys["another-key"] = replace(withdrawn, last_nonce=0)
        secrets = {"api_key": "another-key", "api_secret": SECRET}
        vault, now = live.venues.vault, house.clock.now()
        await live.store.replace(sealed(COINSPOT, USER, secrets, vault, at=now, withdrawals_disabled=True))
        await activated(house, playing)
        held = {coin: amount for coin, amount in live.wallet.coins.items() if amount}
        assert held == {name: amount for name, amount in live.books().items() if amount and name != "AUD"}
        assert live.books()["AUD"] == live.wallet.cash_aud - (CASH - 20_000)


async def test_another_key_that_nobody_gave_his_word_for_trades_nothing(tmp_path):
    tape, minds = two_minds()
    mine = both()
    async with floor(tmp_path, minds, tape) as live:
        house = live.house
        playing = asyncio.create_task(house.play(*mine))
        secrets = {"api_key": "another-key", "api_secret": SECRET}
        another = sealed(COINSPOT, USER, secrets, live.venues.vault, at=house.clock.now())

        async def traded() -> bool:
            return len(live.wallet.executions) > 6

        async def replaced() -> bool:
            try:
                return bool(await live.store.replace(another))
            except Conflict:
                return False

        async def paused() -> bool:
            return not await house.deployments.active()

        await until(traded)
        live.exchange.ring.keys["another-key"] = replace(live.exchange.ring.keys[KEY], last_nonce=0)
        await until(replaced)
        before = len(live.wallet.executions)
        await until(paused)
        for each in mine:
            stored = await house.deployments.get(each.id)
            assert "does not tell whether a key may withdraw" in (stored.last_error or "")
        assert len(live.wallet.executions) == before
        await live.store.promise(USER, COINSPOT)
        await activated(house, playing)
        assert len(live.wallet.executions) > before
        assert live.books()["AUD"] == live.wallet.cash_aud - (CASH - 20_000)


async def test_each_sells_only_what_its_own_books_hold(tmp_path):
    tape, _ = market(6, seed=5, gaps=0.0)
    times = tape.frame.times
    minds = [{time: np.array([0.5, 0.0, 0.0]) for time in times}, {time: np.zeros(3) for time in times}]
    async with floor(tmp_path, minds, tape) as live:
        holder, other = both()
        await live.house.play(holder, other)
        held, before = live.wallet.coins["BTC"], len(live.wallet.executions)
        assert held > 0
        board = await live.house.newest()
        intent = OrderIntent(
            client_order_id="what it does not hold",
            deployment_id=other.id,
            user_id=USER,
            coin="BTC",
            side=Side.SELL,
            quantity=eight_places(held / 2),
            kind=TERMS.kind("BTC"),
            quote_price_aud=board.quotes["BTC"].bid_aud,
            quoted_at=board.time,
            decided_at=board.time,
            reason="a test",
        )
        answer = await live.house.submit(intent, await live.house.leases.take(trader_name(other), "a test"))
        assert isinstance(answer, Denied)
        assert answer.reason is DenialReason.NOT_HELD
        assert len(live.wallet.executions) == before


async def test_the_secrets_are_nowhere_but_in_memory(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    tape, minds = two_minds()
    async with floor(tmp_path, minds, tape) as live:
        playing = asyncio.create_task(live.house.play(*both()))

        async def traded() -> bool:
            return len(live.wallet.executions) > 3

        async def paused() -> bool:
            return not await live.house.deployments.active()

        await until(traded)
        live.exchange.ring.keys.pop(KEY)
        await until(paused)
        playing.cancel()
        house, account = live.house, live.venues._account(USER)
        everything = repr(
            [
                house.deployments.journal.lines,
                house.deployments.kept,
                house.blotter._rows,
                live.store.kept,
                live.venues,
                account,
                account.venue,
                account._client,
                account._opened,
                house.risk_ports(),
            ]
        )
        travels = pickle.dumps([live.store.kept, list(house.deployments.kept.values()), live.venues.vault])
        live.venues.store = live.venues.nonces = None
        travels += pickle.dumps(live.venues)
        for secret in (KEY, SECRET):
            assert secret not in caplog.text
            assert secret not in everything
            assert secret.encode() not in travels
        assert account._opened is not None
        assert account._opened[1].secret == SECRET


async def test_the_desk_says_what_a_key_may_do_and_what_its_account_holds(tmp_path):
    tape, minds = two_minds()
    async with floor(tmp_path, minds, tape) as live:
        desk = RiskActor(replace(live.house.risk_ports(), examiner=live.venues), retire=lambda: None)
        try:
            told = await desk.examine(USER, COINSPOT)
            assert (told.access, told.hint) == (Access.FULL, "plan…wner")
            await live.store.add(replace(told, id=uuid4(), keyhole=KRAKEN))
            with pytest.raises(Conflict, match="kraken cannot be asked from here"):
                await desk.examine(USER, KRAKEN)

            async def recovered() -> bool:
                return desk.ping().endswith("running")

            await until(recovered)
            # Not stored yet, as one that somebody is about to deploy.
            assert await desk.balances(both()[0]) == {"AUD": CASH}
            del live.exchange.ring.keys[KEY]
            with pytest.raises(Unavailable, match="invalid key"):
                await desk.balances(both()[0])
        finally:
            await desk.stop()
