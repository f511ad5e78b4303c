"""Accounts of real money: each call signed with the key that is stored at the moment, and no order by one that may not
trade."""

import asyncio
import pickle
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from omc.access.credential import COINSPOT, Access, Credential, Keyhole, Use, sealed
from omc.access.credential_store import MemoryCredentialStore
from omc.adapters.coinspot.exchange.app import SandboxExchange
from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.keys import Key
from omc.adapters.coinspot.exchange.plan import FaultPlan, Spans
from omc.adapters.coinspot.live import NONCE_TOO_LOW, READS_ONLY, LiveVenues
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.key_file import ensure_key
from omc.adapters.vault import FileVault
from omc.clock import ManualClock
from omc.errors import Conflict, KeyRefused, NotFound, OutcomeUnknown, SealBroken, Unavailable, VaultKeyLost
from omc.market.terms import OrderKind, Terms
from omc.risk.limits import Limits
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import OrderIntent
from omc.trading.refusal import Refusal
from omc.trading.venue import Absent, Placed, Rejected

NOW = datetime(2025, 1, 1, tzinfo=UTC)
OWNER = UUID(int=7)
KEY, SECRET, READER = "demo-key", "demo-secret", "reader-key"
DESK = Lease("risk:0", 1)


def deployment(number: int = 1, user_id: UUID = OWNER) -> Deployment:
    return Deployment(
        id=UUID(int=number),
        user_id=user_id,
        algorithm_id=UUID(int=99),
        algorithm_version=1,
        algorithm_type="written",
        name=f"live {number}",
        coins=("BTC",),
        parameters={},
        mode=Mode.LIVE,
        venue="coinspot",
        cash_aud=Decimal("1000.00"),
        limits=Limits(Decimal(1000), Decimal(1000), Decimal(1000)),
        rebalance_band=0.0,
        status=DeploymentStatus.ACTIVE,
        deployed_at=NOW,
    )


def order(number: int = 1, kind: OrderKind = OrderKind.MARKET) -> Approved:
    intent = OrderIntent(
        client_order_id=f"order {number}",
        deployment_id=UUID(int=1),
        user_id=OWNER,
        coin="BTC",
        side=Side.BUY,
        quantity=Decimal("0.5"),
        kind=kind,
        quote_price_aud=Decimal(100),
        quoted_at=NOW,
        decided_at=NOW,
        reason="a test",
    )
    return Approved(intent, DESK)


class AwayStore(MemoryCredentialStore):
    """One that can be out of reach."""

    away = False
    hangs = False

    async def get(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise Unavailable("the database cannot be reached")
        return await super().get(user_id, keyhole)


@dataclass
class Live:
    venues: LiveVenues
    store: AwayStore
    deployments: MemoryDeploymentStore
    exchange: SandboxExchange
    vault: FileVault
    nonces: MemoryNonces

    async def stored(
        self, key: str = KEY, secret: str = SECRET, *, again: bool = False, promised: bool = True
    ) -> Credential:
        secrets = {"api_key": key, "api_secret": secret}
        made = sealed(COINSPOT, OWNER, secrets, self.vault, at=NOW, withdrawals_disabled=promised)
        return await (self.store.replace(made) if again else self.store.add(made))

    def journal(self) -> list[dict]:
        return [dict(entry.data) for _, entry in self.deployments.journal.lines if entry.kind == "credentials"]


@pytest.fixture
async def live(make_wire, served_at, tmp_path):
    ensure_key(tmp_path / "vault.key")
    exchange, clock = make_wire().app, ManualClock(NOW)
    deployments, vault, nonces = MemoryDeploymentStore(clock), FileVault(tmp_path / "vault.key"), MemoryNonces()
    nonces.leases.epochs[DESK.name] = DESK.epoch
    store = AwayStore(clock, deployments)
    terms = Terms(market_coins=frozenset({"BTC", "ETH"}))
    async with served_at(exchange) as url:
        venues = LiveVenues(store, vault, nonces, terms, base_url=url, lag_s=0.0)
        yield Live(venues, store, deployments, exchange, vault, nonces)
        await venues.close()


async def test_a_key_with_full_access_is_found_to_trade(live):
    await live.stored()
    told = await live.venues.examine(OWNER, COINSPOT)
    assert (told.access, told.validated, told.message, told.checked_at) == (Access.FULL, True, None, NOW)
    assert await live.store.get(OWNER, COINSPOT) == told


async def test_a_key_that_only_reads_is_valid_and_does_not_trade(live):
    await live.stored(READER, "reader-secret")
    told = await live.venues.examine(OWNER, COINSPOT)
    assert (told.access, told.validated, told.message) == (Access.READ_ONLY, True, READS_ONLY)
    venue = await live.venues.open(deployment())
    assert (await venue.balances())["AUD"] == Decimal(10_000)
    refused = await venue.place(order())
    assert isinstance(refused, Rejected)
    assert READS_ONLY in refused.message
    assert live.exchange.venue.wallet("demo").executions == []


@pytest.mark.parametrize(("key", "secret"), [("nobody's", SECRET), (KEY, "wrong")], ids=["key", "secret"])
async def test_a_key_that_the_venue_does_not_know_is_told_in_its_words(live, key, secret):
    await live.stored(key, secret)
    told = await live.venues.examine(OWNER, COINSPOT)
    assert (told.access, told.validated) == (Access.REFUSED, False)
    assert "invalid" in (told.message or "")
    assert secret not in str(live.journal())


async def test_a_key_that_somebody_else_counts_with_is_told_how_to_get_another(live):
    await live.stored()
    live.exchange.ring.keys[KEY].last_nonce = 10**16
    told = await live.venues.examine(OWNER, COINSPOT)
    assert (told.access, told.message) == (Access.REFUSED, NONCE_TOO_LOW)


async def test_a_venue_that_does_not_answer_changes_nothing_of_what_is_known(live, lossy, served_at):
    await live.stored()
    known = await live.venues.examine(OWNER, COINSPOT)
    faulty = lossy(live.exchange)
    async with served_at(faulty) as url:
        venues = LiveVenues(live.store, live.vault, live.nonces, Terms(), base_url=url)
        for path in ("/api/v2/ro/my/balances", "/api/v2/status"):
            faulty.lose(path, "after", "500")
            with pytest.raises(Unavailable):
                await venues.examine(OWNER, COINSPOT)
        await venues.close()
    assert await live.store.get(OWNER, COINSPOT) == known


async def test_an_order_is_placed_by_a_key_that_may_trade(live):
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(deployment())
    placed = await venue.place(order())
    assert isinstance(placed, Placed)
    assert placed.fills[0].quantity == Decimal("0.5")
    assert "BTC" in await venue.balances()


async def test_a_key_that_was_replaced_is_examined_before_anything_trades_by_it(live):
    await live.stored("revoked", "revoked")
    venue = await live.venues.open(deployment())
    await live.stored(again=True)
    assert isinstance(await venue.place(order()), Placed)
    assert (await live.store.get(OWNER, COINSPOT)).access is Access.FULL
    await live.stored(READER, "reader-secret", again=True)
    assert isinstance(await venue.place(order(2)), Rejected)
    assert (await live.store.get(OWNER, COINSPOT)).access is Access.READ_ONLY
    assert len(live.exchange.venue.wallet("demo").executions) == 1


async def test_without_its_owners_word_on_withdrawals_no_key_trades(live):
    trading = await live.deployments.create(deployment())
    await live.stored()
    venue = await live.venues.open(trading)
    assert isinstance(await venue.place(order()), Placed)
    await live.stored(again=True, promised=False)
    refused = await venue.place(order(2))
    assert isinstance(refused, Rejected)
    assert refused.refusal is Refusal.KEY
    assert "does not tell whether a key may withdraw: make sure that yours cannot" in refused.message
    paused = await live.deployments.get(trading.id)
    assert paused.status is DeploymentStatus.PAUSED
    assert "does not tell whether a key may withdraw" in (paused.last_error or "")
    assert len(live.exchange.venue.wallet("demo").executions) == 1
    # It reads, and cancels, and trades as soon as the word is given.
    assert "BTC" in await venue.balances()
    assert await venue.cancel_all() == 0
    await live.store.promise(OWNER, COINSPOT)
    assert isinstance(await venue.place(order(3)), Placed)


@pytest.mark.parametrize("kind", [OrderKind.MARKET, OrderKind.INSTANT])
@pytest.mark.parametrize("without", ["a key", "a key that the venue takes", "the vault's key"])
async def test_what_trades_without_a_key_that_fits_is_paused_and_says_so(live, tmp_path, kind, without):
    if without != "a key":
        stored = await live.stored()
        await live.store.examined(stored, Access.FULL, None)
    if without == "a key that the venue takes":
        await live.store.examined(stored, Access.REFUSED, "invalid key")
    if without == "the vault's key":
        ensure_key(tmp_path / "other.key")
        live.venues.vault = FileVault(tmp_path / "other.key")
    # Activated at the very moment at which its key was refused, or deleted.
    trading = await live.deployments.create(deployment())
    refused = await (await live.venues.open(trading)).place(order(kind=kind))
    assert isinstance(refused, Rejected)
    assert refused.refusal is Refusal.KEY
    paused = await live.deployments.get(trading.id)
    assert paused.status is DeploymentStatus.PAUSED
    assert paused.last_error == refused.message.removeprefix("nothing was sent: ")
    assert live.exchange.venue.wallet("demo").executions == []


async def test_that_nothing_fits_is_heard_though_nobody_can_be_paused(live):
    class Deaf(AwayStore):
        async def hold(self, user_id: UUID, keyhole: Keyhole, reason: str) -> list[UUID]:
            raise Unavailable("the database cannot be reached")

    live.venues.store = Deaf(live.store.clock, live.deployments)
    venue = await live.venues.open(deployment())
    refused = await venue.place(order())
    assert isinstance(refused, Rejected)
    assert refused.refusal is Refusal.KEY


async def test_without_a_key_nothing_is_sent_and_nothing_is_seen(live):
    venue = await live.venues.open(deployment())
    refused = await venue.place(order())
    assert isinstance(refused, Rejected)
    assert "nothing was sent: there is no key for coinspot" in refused.message
    assert refused.refusal is Refusal.KEY
    with pytest.raises(Unavailable, match="there is no key"):
        await venue.balances()
    with pytest.raises(NotFound):
        await live.venues.examine(OWNER, COINSPOT)


async def test_a_key_that_the_venue_stops_taking_pauses_what_trades_by_it(live):
    trading = [await live.deployments.create(deployment(number)) for number in (1, 2)]
    theirs = await live.deployments.create(deployment(3, UUID(int=8)))
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(trading[0])
    del live.exchange.ring.keys[KEY]
    assert isinstance(await venue.place(order()), Rejected)
    for each in trading:
        paused = await live.deployments.get(each.id)
        assert paused.status is DeploymentStatus.PAUSED
        assert "coinspot does not let its key trade: ro/my/balances: invalid key" in (paused.last_error or "")
    assert (await live.deployments.get(theirs.id)).status is DeploymentStatus.ACTIVE
    told = live.journal()[-1]
    assert (told["event"], told["access"]) == ("examined", "refused")
    assert told["paused"] == [str(each.id) for each in trading]
    assert KEY not in str(told["message"])
    again = await venue.place(order(2))
    assert isinstance(again, Rejected)
    assert "are not validated: ro/my/balances: invalid key" in again.message


async def test_that_a_key_is_refused_is_told_once_however_often_it_is_met(live):
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(deployment())
    key = live.exchange.ring.keys.pop(KEY)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await venue.balances()
    assert [each["access"] for each in live.journal() if each["event"] == "examined"] == ["full", "refused"]
    live.exchange.ring.keys[KEY] = key
    await live.venues.examine(OWNER, COINSPOT)
    del live.exchange.ring.keys[KEY]
    with pytest.raises(Unavailable):
        await venue.balances()
    assert (await live.store.get(OWNER, COINSPOT)).access is Access.REFUSED


async def test_that_a_key_is_refused_is_heard_though_it_cannot_be_stored(live):
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(deployment())
    await venue.balances()
    del live.exchange.ring.keys[KEY]
    live.store.away = True
    account = live.venues._account(OWNER)
    with pytest.raises(KeyRefused):
        await account._client.read("my/balances")


async def test_a_database_that_is_away_keeps_nobody_from_cancelling(live):
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(deployment())
    live.exchange.venue.place("demo", Side.BUY, "BTC", quantity=Decimal("0.1"), price_aud=Decimal(50))
    live.store.hangs = True
    assert await venue.cancel_all() == 1
    live.exchange.venue.place("demo", Side.BUY, "BTC", quantity=Decimal("0.1"), price_aud=Decimal(50))
    live.store.hangs, live.store.away = False, True
    assert await venue.cancel_all() == 1
    with pytest.raises(Unavailable):
        await venue.place(order())
    fresh = LiveVenues(live.store, live.vault, live.nonces, Terms(), base_url=live.venues.base_url)
    with pytest.raises(Unavailable):
        await (await fresh.open(deployment())).balances()


async def test_a_key_that_cannot_be_opened_sends_nothing_and_says_why(live, tmp_path):
    stored = await live.stored()
    ensure_key(tmp_path / "other.key")
    lost = LiveVenues(
        live.store, FileVault(tmp_path / "other.key"), live.nonces, Terms(), base_url="http://127.0.0.1:9"
    )
    refused = await (await lost.open(deployment())).place(order())
    assert isinstance(refused, Rejected)
    assert "nothing was sent: the vault's key" in refused.message
    assert refused.refusal is Refusal.KEY
    with pytest.raises(VaultKeyLost):
        await lost.examine(OWNER, COINSPOT)
    theirs = sealed(COINSPOT, UUID(int=8), {"api_key": KEY, "api_secret": SECRET}, live.vault, at=NOW)
    live.store.kept[OWNER, COINSPOT] = Credential(
        stored.id, OWNER, COINSPOT, stored.hint, theirs.sealed, NOW, Access.FULL
    )
    with pytest.raises(SealBroken):
        await live.venues.examine(OWNER, COINSPOT)
    assert isinstance(await (await live.venues.open(deployment())).place(order()), Rejected)


async def test_deployments_of_one_owner_share_an_account_and_its_numbers(live):
    await live.stored()
    mine = [await live.venues.open(deployment(number)) for number in (1, 2)]
    assert mine[0] is mine[1]
    assert await live.venues.open(deployment(3, UUID(int=8))) is not mine[0]
    await asyncio.gather(live.venues.examine(OWNER, COINSPOT), *(mine[0].balances() for _ in range(20)))
    assert list(live.nonces.last) == [f"coinspot:{OWNER}"]


async def test_other_venues_keys_are_kept_and_asked_by_nobody(live):
    for keyhole in (Keyhole(Use.EXCHANGE, "kraken"), Keyhole(Use.LLM, "openai")):
        await live.store.add(sealed(keyhole, OWNER, {"api_key": KEY}, live.vault, at=NOW))
        with pytest.raises(Conflict, match=f"{keyhole.name} cannot be asked from here"):
            await live.venues.examine(OWNER, keyhole)


async def test_nothing_that_was_opened_travels(live):
    await live.stored("a-planted-key-of-mine", "a-planted-secret-of-mine")
    await live.venues.examine(OWNER, COINSPOT)
    account = live.venues._account(OWNER)
    said = repr([live.venues, account, account.venue, account._client])
    assert "planted" not in said
    live.venues.store = live.venues.nonces = None
    assert b"planted" not in pickle.dumps(live.venues)
    assert pickle.loads(pickle.dumps(live.venues))._accounts == {}


async def test_a_reader_that_is_asked_to_cancel_is_still_one_that_reads(live):
    await live.stored(READER, "reader-secret")
    await live.venues.examine(OWNER, COINSPOT)
    venue = await live.venues.open(deployment())
    for _ in range(2):
        with pytest.raises(KeyRefused):
            await venue.cancel(order().intent, "nothing")
    told = await live.store.get(OWNER, COINSPOT)
    assert (told.access, told.validated, told.message) == (Access.READ_ONLY, True, READS_ONLY)
    assert len(live.journal()) == len([entry for entry in live.journal() if entry.get("access") != "refused"])
    assert (await venue.balances())["AUD"] == Decimal(10_000)


async def test_an_order_is_never_said_to_be_absent_under_another_key_than_it_was_signed_with(live):
    """A later number of the new key proves nothing about a request that the old one signed."""
    await live.stored()
    await live.venues.examine(OWNER, COINSPOT)
    venue, intent = await live.venues.open(deployment()), order().intent
    live.exchange.control.faults.begin(
        FaultPlan(1, 1.0, frozenset({FaultKind.LOST_REQUEST}), most=1, spans=Spans(silence_s=0.01)), []
    )
    with pytest.raises(OutcomeUnknown):
        await venue.place(Approved(intent, DESK))
    live.exchange.control.faults.begin(None, [])
    assert await venue.find(intent, intent.quoted_at, frozenset()) == Absent()
    live.exchange.ring.keys["new"] = Key(live.exchange.ring.keys[KEY].customer, "new-secret")
    await live.stored("new", "new-secret", again=True)
    with pytest.raises(Unavailable, match="a key that was replaced since"):
        await venue.find(intent, intent.quoted_at, frozenset())
    # What the account lists is found, whoever asks.
    live.exchange.venue.place("demo", intent.side, "BTC", quantity=intent.quantity, price_aud=intent.quote_price_aud)
    found = await venue.find(intent, intent.quoted_at, frozenset())
    assert [fill.quantity for fill in found.fills] == [intent.quantity]
