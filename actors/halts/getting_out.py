"""Selling everything that a deployment holds after an emergency stop: at the newest bid, then below it as far as is
allowed, again and again until it is sold or patience ends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

from omc.errors import OmcError
from omc.market.money import ZERO
from omc.trading import outcome
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.floor import HaltReport
from omc.trading.order import Order

if TYPE_CHECKING:
    from actors.orders.sender import Office, RiskPorts, Sender
    from actors.orders.senders import Senders


Place = tuple[UUID | None, UUID | None]
"""Whose halt: a user's, and of which of his deployments; nobody in particular for all of them."""


@dataclass(eq=False, slots=True)
class _Patience:
    """How long something is sold, and what was tried so far."""

    until: float
    over: str = ""
    """Why nothing more is to be sold, before that time."""
    tried: list[str] = field(default_factory=list)
    """Names of the orders."""
    tellable: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when what there was is sold, or could not be, though more may be bought by what is still under way."""


class GettingOut:
    def __init__(self, ports: "RiskPorts", office: "Office", senders: "Senders") -> None:
        self._ports = ports
        self._office = office
        self._senders = senders
        self._selling: dict[asyncio.Task[None], tuple[Deployment, Place, _Patience]] = {}

    @property
    def selling(self) -> bool:
        """Whether anything is being sold out, whoever still waits for it."""
        return bool(self._selling)

    def end(self, place: Place, why: str) -> None:
        """Sell nothing more that a halt of `place` had sold: what is bought from now on is not what it meant."""
        for deployment, halted, patience in self._selling.values():
            if halted == place and not patience.over:
                patience.over = why
                for name in patience.tried:
                    self._senders.of(deployment).wishes.end(name, why)

    async def sell_out(self, deployment: Deployment, place: Place, answer_s: float | None = None) -> HaltReport:
        """What was sold because `place` was halted, and a sentence for each coin that was not. An order whose fate is
        not known when patience ends is followed all the same, and so is said to be under way; so is a sale that is not
        over after `answer_s`."""
        sold: list[Order] = []
        problems: dict[str, str] = {}
        patience = self._patience()
        task = asyncio.create_task(self._sell_all(deployment, patience, sold, problems))
        self._selling[task] = deployment, place, patience
        task.add_done_callback(self._selling.pop)
        said = []
        try:
            answer_s = self._ports.sell_out_answer_s if answer_s is None else answer_s
            await asyncio.wait_for(patience.tellable.wait(), answer_s)
        except TimeoutError:
            # Until the halt is reset: a venue may take longer to say what became of a sale than anybody waits for it.
            said = ["it is being sold still"]
        said = [*problems.values(), *said]
        return HaltReport(0, tuple(sold), tuple(f"{deployment.name}: {each}" for each in said))

    async def sell_coins(self, deployment: Deployment, coins: Sequence[str], forced: int) -> HaltReport:
        """Some of what a deployment holds, for the notice numbered `forced`."""
        sold: list[Order] = []
        problems: dict[str, str] = {}
        patience = self._patience()
        await asyncio.gather(*(self._sell(deployment, coin, patience, sold, problems, forced) for coin in coins))
        return HaltReport(0, tuple(sold), tuple(f"{deployment.name}: {each}" for each in problems.values()))

    def _patience(self) -> _Patience:
        return _Patience(asyncio.get_running_loop().time() + self._ports.sell_out_patience_s)

    async def _sell_all(
        self, deployment: Deployment, patience: _Patience, sold: list[Order], problems: dict[str, str]
    ) -> None:
        """What is held now, and then what orders that were under way have bought until they ended, however long the
        venue takes to say what became of them."""
        try:
            late = await self._sell_what_shows(deployment, patience, sold, problems)
        finally:
            patience.tellable.set()
        if late:
            await self._senders.of(deployment).quiet(deployment.id)
            patience.until = self._patience().until
            await self._sell_held(deployment, patience, [], {})

    async def _sell_what_shows(
        self, deployment: Deployment, patience: _Patience, sold: list[Order], problems: dict[str, str]
    ) -> bool:
        """Whether an order is still under way when patience ends. What it has bought so far is sold all the same."""
        loop, sender = asyncio.get_running_loop(), self._senders.of(deployment)
        await self._sell_held(deployment, patience, sold, problems)
        quiet = asyncio.create_task(sender.quiet(deployment.id))
        # One turn, for where it is quiet already.
        await asyncio.sleep(0)
        await asyncio.wait([quiet], timeout=max(0.0, patience.until - loop.time()))
        late = not quiet.done()
        quiet.cancel()
        await self._sell_held(deployment, patience, sold, problems)
        if late:
            problems.setdefault("", "an order is still under way")
        return late

    async def _sell_held(
        self, deployment: Deployment, patience: _Patience, sold: list[Order], problems: dict[str, str]
    ) -> None:
        try:
            self._office.in_force()
            held = (await self._ports.blotter.account(deployment.id)).positions
        except OmcError as error:
            problems[""] = f"not sold out: {error}"
            return
        # One coin's trouble keeps no other from being sold.
        coins = [coin for coin, position in held.items() if position.quantity and coin not in problems]
        await asyncio.gather(*(self._sell(deployment, coin, patience, sold, problems) for coin in coins))

    async def _sell(
        self,
        deployment: Deployment,
        coin: str,
        patience: _Patience,
        sold: list[Order],
        problems: dict[str, str],
        forced: int | None = None,
    ) -> None:
        loop, cadence, waited_s = asyncio.get_running_loop(), self._ports.cadence, 0.0
        for attempt in count(1):
            if patience.over:
                problems[coin] = f"{coin} may remain: {patience.over}"
                return
            sender = self._senders.of(deployment)
            began = loop.time()
            try:
                left = await self._try(sender, deployment, coin, attempt, patience, sold, forced)
            except OmcError as error:
                left = await self._left(deployment, coin, str(error))
            if left is None:
                problems.pop(coin, None)
                return
            problems[coin] = left
            # A venue is silent for longer than anybody is patient: that is no reason to leave it at one sale.
            waited_s += loop.time() - began
            rest_s = patience.until + waited_s - loop.time()
            if rest_s <= 0:
                return
            await asyncio.sleep(min(cadence.pause_s(attempt), rest_s))

    async def _try(
        self,
        sender: "Sender",
        deployment: Deployment,
        coin: str,
        attempt: int,
        patience: _Patience,
        sold: list[Order],
        forced: int | None,
    ) -> str | None:
        """One sale, of all that is held now and that no other order is selling already: an account may have more of a
        coin than its deployment, so the venue would carry out both. What is left then and why, or None."""
        ports, others = self._ports, _sales(sender, deployment, coin)
        position = (await ports.blotter.account(deployment.id)).position(coin)
        if not position.quantity:
            return None
        # What ended while the books were read may not be in them.
        others = _sales(sender, deployment, coin) | others
        board = await ports.quotes.newest()
        quote = board.quotes.get(coin) if board else None
        if board is None or quote is None:
            return f"{coin} is not quoted, {position.quantity:f} remain"
        below_bps = 0 if attempt == 1 else ports.sell_out_slippage_bps
        intent = outcome.liquidation(
            deployment,
            position,
            quote,
            at=board.time,
            terms=ports.terms,
            attempt=attempt,
            below_bps=below_bps,
            forced=forced,
        )
        others.pop(intent.client_order_id, None)
        free = position.quantity - sum((each.left for each in others.values()), ZERO)
        if free <= 0:
            return f"{position.quantity:f} {coin} remain: {', '.join(others)} is to end first"
        intent = replace(intent, quantity=free)
        if intent.notional_aud < ports.terms.min_order_aud:
            return f"{position.quantity:f} {coin} remain: less than the smallest order"
        known = await ports.blotter.order(intent.client_order_id)
        if patience.over:
            return f"{position.quantity:f} {coin} remain: {patience.over}"
        patience.tried.append(intent.client_order_id)
        order = await sender.carry(intent, None)
        if order.fills and not (known and known.status.final):
            sold.append(order)
        return await self._left(deployment, coin, order.message or order.status)

    async def _left(self, deployment: Deployment, coin: str, why: str) -> str | None:
        try:
            quantity = (await self._ports.blotter.account(deployment.id)).position(coin).quantity
        except OmcError as error:
            return f"{coin} may remain: {error}"
        return f"{quantity:f} {coin} remain: {why}" if quantity else None


def _sales(sender: "Sender", deployment: Deployment, coin: str) -> dict[str, Order]:
    """What is on its way that sells a coin of a deployment's, by name."""
    wanted = deployment.id, coin, Side.SELL
    orders = sender.under_way.items()
    return {name: each for name, each in orders if _what(each) == wanted}


def _what(order: Order) -> tuple[UUID, str, Side]:
    return order.intent.deployment_id, order.intent.coin, order.intent.side
