"""What an exchange shows of an account, when its lists are behind or its clock was wrong. What the account holds is not
touched by it.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from omc.trading.fill import Side
from omc.trading.paper.order import Execution
from omc.trading.paper.wallet import PaperWallet


@dataclass(slots=True)
class Showing:
    """Times are the running loop's, in seconds."""

    _recent: deque[tuple[float, str]] = field(default_factory=deque)
    """When an execution was noted, and which; oldest first."""
    _noted: int = 0
    _skews: dict[str, timedelta] = field(default_factory=dict)
    """By order: how wrong the clock was that stamped it."""
    _opened: deque[tuple[float, str]] = field(default_factory=deque)
    """When an order was put on the book, and which; oldest first."""
    _unlisted: dict[str, float] = field(default_factory=dict)
    """By order: until when no list knows of it."""

    def begin(self, executions: Sequence[Execution]) -> None:
        """Everything up to now is shown: nothing lags behind it."""
        self._recent.clear()
        self._opened.clear()
        self._unlisted.clear()
        self._noted = len(executions)

    def note(self, executions: Sequence[Execution], now_s: float, lag_s: float) -> None:
        """Everybody's executions as of now: the new ones may stay hidden for `lag_s`."""
        self._recent.extend((now_s, each.execution_id) for each in executions[self._noted :])
        self._noted = len(executions)
        for noted in (self._recent, self._opened):
            while noted and now_s - noted[0][0] >= lag_s:
                noted.popleft()
        self._unlisted = {order_id: until for order_id, until in self._unlisted.items() if until > now_s}

    def opened(self, order_ids: Iterable[str], now_s: float) -> None:
        """Orders that were put on the book now."""
        self._opened.extend((now_s, order_id) for order_id in order_ids)

    def unlist(self, order_ids: Iterable[str], until_s: float) -> None:
        """No list knows of these orders, nor of what they do, until then."""
        self._unlisted |= dict.fromkeys(order_ids, until_s)

    def unlisted(self) -> frozenset[str]:
        """The orders that no list knows of, as of when that was last noted."""
        return frozenset(self._unlisted)

    def new(self) -> frozenset[str]:
        """The orders that a list of open ones which lags does not know of yet."""
        return frozenset(order_id for _, order_id in self._opened)

    def skew(self, order_ids: Iterable[str], by: timedelta) -> None:
        """Stamp what these orders do, for good, by a clock that is wrong."""
        self._skews |= dict.fromkeys(order_ids, by)

    def hidden(self, wallet: PaperWallet) -> frozenset[str]:
        """The executions of an account that a list which lags does not know of yet."""
        recent = {execution_id for _, execution_id in self._recent}
        return frozenset(each.execution_id for each in wallet.executions if each.execution_id in recent)

    def shown(
        self,
        wallet: PaperWallet,
        hidden: frozenset[str] = frozenset(),
        orders: frozenset[str] = frozenset(),
    ) -> PaperWallet:
        """`wallet` as its owner sees it, without the executions that are `hidden`, and without `orders` and all that
        they did."""
        if not hidden and not orders and not self._skews:
            return wallet
        kept = {order_id: order for order_id, order in wallet.orders.items() if order_id not in orders}
        seen = PaperWallet(wallet.cash_aud, dict(wallet.coins), kept)
        for each in wallet.executions:
            if each.execution_id in hidden or each.order_id in orders:
                _undo(seen, each)
            else:
                by = self._skews.get(each.order_id)
                seen.executions.append(replace(each, executed_at=each.executed_at + by) if by else each)
        # A wrong clock puts them in another order, and lists are in the order of their times.
        seen.executions.sort(key=lambda each: each.executed_at)
        for order_id, order in seen.orders.items():
            if by := self._skews.get(order_id):
                seen.orders[order_id] = replace(order, created_at=order.created_at + by)
        return seen


def _undo(seen: PaperWallet, execution: Execution) -> None:
    sign = -1 if execution.side is Side.BUY else 1
    seen.coins[execution.coin] = seen.balance(execution.coin) + sign * execution.quantity
    if execution.swapped:
        other = execution.swapped
        seen.coins[other.coin] = seen.balance(other.coin) - other.quantity
    seen.cash_aud -= execution.cash_moved_aud
