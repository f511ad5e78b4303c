"""The eight points at which something is killed. Each is reached by holding the platform there from outside: by a lock
on a row that it needs, or by its request or the answer to it, which waits at the exchange's door.

Each is a generator: it yields when the platform stands at the point, lets it go when it is resumed, and yields again
if there is something to be done once all is up again.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.crash.exchange import Asked, At
from tests.crash.scene import Scene
from tests.crash.waiting import LONG_S, NeverCame, until

# Whoever writes ahead relies on the owner's row, and nobody else does: foreign keys take a weaker lock.
_OWNER = "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE"
_ORDER = "SELECT 1 FROM orders WHERE deployed_algorithm_id = %s AND status = 'submitted' FOR UPDATE"
_ACCOUNT = "SELECT 1 FROM deployment_accounts WHERE deployed_algorithm_id = %s FOR UPDATE"
_FILLED = "SELECT count(*) FROM trades WHERE deployed_algorithm_id = %s"


@contextmanager
def _held(scene: Scene, wanted: Callable[[Asked], bool], at: At, begin: Callable[[], object] = bool) -> Iterator[None]:
    """A request of the account waits at the door meanwhile; `begin` is called when it can no longer pass by."""
    hold = scene.exchange.hold(lambda asked: asked.account == scene.account and wanted(asked), at)
    try:
        begin()
        until(hold.reached.is_set, f"a request to hold {at.value}")
        yield
    finally:
        hold.let_go()


def intent_written(scene: Scene) -> Iterator[None]:
    """The row at which whoever writes ahead meets whoever trips the kill switch is held: the intent is stored, and
    nothing is sent."""
    with scene.locked(_OWNER, scene.person.user_id) as lock:
        until(lambda: lock.waited_for("FROM users") and scene.count("intent"), "an intent that waits to be sent")
        yield


def sent(scene: Scene) -> Iterator[None]:
    """The exchange took it, and its answer is held."""
    with _held(scene, lambda asked: asked.taken, At.ANSWER):
        yield


def acknowledged(scene: Scene) -> Iterator[None]:
    """The answer came, and the order's row is held: what it says is not committed."""
    hold = scene.exchange.hold(lambda asked: asked.account == scene.account and asked.taken, At.ANSWER)
    try:
        until(hold.reached.is_set, "an order that the exchange took")
        with scene.locked(_ORDER, scene.deployment_id) as lock:
            hold.let_go()
            until(lambda: lock.waited_for("FROM orders"), "an answer that waits to be written down")
            yield
    finally:
        hold.let_go()


def between_fills(scene: Scene) -> Iterator[None]:
    """The book gave a part, which is counted; the rest still waits there, because the request to cancel it is held. It
    is filled further after the crash, while nobody looks."""
    with _held(scene, _cancels, At.REQUEST):
        if not scene.count("cancelling", "partial") or not scene.rows.one(_FILLED, scene.deployment_id):
            raise NeverCame("a first fill that is counted did not come")
        wallet = scene.exchange.venue.wallet(scene.account)
        fills, resting = len(wallet.executions), next(iter(wallet.orders.values()))
        yield
        scene.exchange.step()
        if len(wallet.executions) == fills:
            # The market went the other way: inside the bar it comes back once.
            scene.exchange.touch(resting.coin, resting.price_aud)
        if len(wallet.executions) == fills:
            raise NeverCame(f"a second fill of {resting} did not come")


def position_waits(scene: Scene) -> Iterator[None]:
    """The fills are known, and the account that they move is held."""
    with scene.locked(_ACCOUNT, scene.deployment_id) as lock:
        until(lambda: lock.waited_for("FROM deployment_accounts"), "fills that wait to be counted")
        yield


def cancelling(scene: Scene) -> Iterator[None]:
    """The rest of an order is off the book, and the answer that says so is held."""
    with _held(scene, _cancels, At.ANSWER):
        yield


def stopping(scene: Scene) -> Iterator[None]:
    """An emergency stop is under way: the halt holds, the exchange has cancelled, and nothing is sold yet. Whoever
    asked for it asks until it is answered; the account is halted meanwhile, whatever died."""
    stop = {"liquidate": True, "reason": "a crash is to come"}
    asking = _beside(scene, "POST", "/floor/emergency-stop", stop)
    with _held(scene, lambda asked: asked.path.endswith("/cancel/all"), At.ANSWER, asking.start):
        before = len(scene.exchange.taken(scene.account))
        yield
    yield
    if not scene.person.halted:
        scene.told.append("the kill switch did not survive")
    asking.join(LONG_S)
    if asking.is_alive():
        raise NeverCame("an answer to an emergency stop did not come")
    bought = [each.order for each in scene.exchange.taken(scene.account)[before:] if each.order[0] == "buy"]
    if bought or not scene.person.halted:
        scene.told.append(f"a halted account bought: {bought}" if bought else "the kill switch was let go")
    scene.person.ask("POST", "/floor/emergency-stop/reset", {"reason": "the crash is over"})
    scene.person.ask("POST", f"{scene.path}/activate")


def reconciling(scene: Scene) -> Iterator[None]:
    """The account is read, and the answer with its balances is held."""
    asking = _beside(scene, "GET", f"/floor/reconciliation?now=true&deployment_id={scene.deployment_id}", None)
    with _held(scene, lambda asked: asked.path.endswith("/my/balances"), At.ANSWER, asking.start):
        yield


def _cancels(asked: Asked) -> bool:
    return asked.path.endswith(("/my/buy/cancel", "/my/sell/cancel"))


def _beside(scene: Scene, method: str, path: str, body: object) -> threading.Thread:
    return threading.Thread(target=scene.person.ask, args=(method, path, body), daemon=True)


POINTS: Mapping[str, Callable[[Scene], Iterator[None]]] = {
    "after intent written, before send": intent_written,
    "after send, before ack": sent,
    "after ack, before local commit": acknowledged,
    "between two partial fills": between_fills,
    "after fill, before position update": position_waits,
    "during cancel": cancelling,
    "during emergency stop": stopping,
    "while reconciling": reconciling,
}
ON_THE_BOOK = frozenset({"between two partial fills", "during cancel"})
"""Those that only an order can reach that the book does not fill whole."""
