"""Keys go in sealed and come out masked, each for its owner alone."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from omc.access.credential import COINSPOT, Access, Credential, Keyhole
from omc.access.credential_store import MemoryCredentialStore
from omc.access.examiner import Examiner, unspoken
from omc.access.keyring import Keyring
from omc.access.vault import MemoryVault
from omc.errors import Unavailable
from omc.risk.limits import Limits
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode
from serve_apps.gateway.app import build

KEY, SECRET = "abcd0123456789wxyz", "s3cret-of-the-exchange"
MINE = {"api_key": KEY, "api_secret": SECRET}
COINSPOTS = "/api/v1/credentials/coinspot"
EVERY = {
    COINSPOTS: MINE,
    "/api/v1/credentials/exchanges/kraken": {**MINE, "passphrase": "sesame"},
    "/api/v1/credentials/llm/openai": {"api_key": KEY},
}


@dataclass
class Venue(Examiner):
    """Says of CoinSpot's keys what it is told to."""

    store: MemoryCredentialStore
    vault: MemoryVault
    says: Access | Unavailable = Access.FULL
    tried: list[dict[str, str]] = field(default_factory=list)

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        found = await self.store.get(user_id, keyhole)
        if keyhole != COINSPOT:
            raise unspoken(keyhole)
        if isinstance(self.says, Unavailable):
            raise self.says
        self.tried.append(found.opened(self.vault))
        return await self.store.examined(found, self.says, None if self.says is Access.FULL else "invalid key")


@pytest.fixture
def deployments(clock):
    return MemoryDeploymentStore(clock)


@pytest.fixture
def venue(clock, deployments) -> Venue:
    return Venue(MemoryCredentialStore(clock, deployments), MemoryVault())


@pytest.fixture
def app(ports, venue):
    return build(replace(ports, keyring=Keyring(venue.store, venue.vault, venue)))


@pytest.mark.parametrize("path", EVERY)
async def test_a_key_is_kept_masked_replaced_and_forgotten(caller, path, refused):
    refused(await caller.get(path), 404, "NOT_FOUND")
    refused(await caller.put(path, EVERY[path]), 404, "NOT_FOUND")
    made = await caller.post(path, EVERY[path])
    assert made.status_code == 201
    shown = (await caller.get(path)).json()["data"]
    assert shown == made.json()["data"]
    assert shown["api_key"] == "abcd…wxyz"
    refused(await caller.post(path, EVERY[path]), 409, "CONFLICT")
    replaced = await caller.put(path, {**EVERY[path], "api_key": "efgh0123456789stuv"})
    assert replaced.json()["data"]["api_key"] == "efgh…stuv"
    assert (await caller.delete(path)).status_code == 200
    refused(await caller.get(path), 404, "NOT_FOUND")
    refused(await caller.delete(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", EVERY)
async def test_a_key_is_its_owners_alone(caller, app, calling, path, refused):
    await caller.post(path, EVERY[path])
    other = calling(app)
    for answer in (
        await other.get(path),
        await other.put(path, EVERY[path]),
        await other.delete(path),
        await other.post(f"{path}/validate"),
    ):
        refused(answer, 404, "NOT_FOUND")
    assert (await other.get("/api/v1/credentials")).json()["items"] == []
    assert (await caller.get("/api/v1/credentials")).json()["total"] == 1
    refused(await calling(app, signed_in=False).get(path), 401, "UNAUTHENTICATED")


async def test_no_answer_shows_a_secret(caller, venue):
    for path, body in EVERY.items():
        for answer in (
            await caller.post(path, body),
            await caller.put(path, body),
            await caller.get(path),
            await caller.post(f"{path}/validate"),
            await caller.post(path, {**body, "surprise": SECRET}),
            await caller.post(path, {**body, "api_key": f"{KEY} {SECRET}"}),
            await caller.post(path, {**body, "api_key": {"nested": SECRET}}),
        ):
            assert SECRET not in answer.text
            assert KEY not in answer.text
            assert "sesame" not in answer.text
    assert SECRET not in str(venue.store.kept)


async def test_a_key_is_tried_as_soon_as_it_is_there(caller, venue):
    made = (await caller.post(COINSPOTS, {**MINE, "withdrawals_disabled": True})).json()
    assert venue.tried == [MINE]
    assert made["message"] == "coinspot takes this key, and it may trade"
    told = made["data"]
    assert (told["is_validated"], told["access"], told["withdrawals_disabled"]) == (True, "full", True)
    assert told["last_validated_at"] == "2025-06-10T12:00:00Z"


@pytest.mark.parametrize(
    ("says", "validated", "message"),
    [
        (Access.REFUSED, False, "coinspot does not take this key: invalid key"),
        (Access.READ_ONLY, True, "coinspot takes this key: invalid key"),
        (Unavailable("coinspot is away"), False, "stored, and not validated yet: coinspot is away"),
    ],
    ids=["refused", "read only", "away"],
)
async def test_what_the_venue_says_is_told_and_the_key_is_kept(caller, venue, says, validated, message):
    venue.says = says
    made = await caller.post(COINSPOTS, MINE)
    assert made.status_code == 201
    assert (made.json()["data"]["is_validated"], made.json()["message"]) == (validated, message)


async def test_validating_asks_again_and_takes_the_owners_word(caller, venue, refused):
    venue.says = Unavailable("coinspot is away")
    await caller.post(COINSPOTS, MINE)
    refused(await caller.post(f"{COINSPOTS}/validate"), 503, "UNAVAILABLE")
    venue.says = Access.FULL
    told = (await caller.post(f"{COINSPOTS}/validate")).json()
    assert "live trading needs your word" in told["message"]
    assert not told["data"]["withdrawals_disabled"]
    told = (await caller.post(f"{COINSPOTS}/validate", {"withdrawals_disabled": True})).json()
    assert told["data"]["withdrawals_disabled"]
    refused(await caller.post(f"{COINSPOTS}/validate", {"withdrawals_disabled": False}), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", [path for path in EVERY if path != COINSPOTS])
async def test_a_key_of_a_venue_that_nobody_speaks_to_is_kept_and_cannot_be_validated(caller, path, refused):
    made = await caller.post(path, EVERY[path])
    assert made.status_code == 201
    assert "cannot be asked from here" in made.json()["message"]
    assert "cannot be asked" in refused(await caller.post(f"{path}/validate"), 409, "CONFLICT")["message"]


async def test_a_key_is_not_forgotten_while_real_money_trades_by_it(caller, deployments, clock, refused):
    await caller.post(COINSPOTS, MINE)
    live = Deployment(
        id=uuid4(),
        user_id=caller.user_id,
        algorithm_id=uuid4(),
        algorithm_version=1,
        algorithm_type="grid",
        name="real money",
        coins=("BTC",),
        parameters={},
        mode=Mode.LIVE,
        venue="coinspot",
        cash_aud=Decimal(100),
        limits=Limits(Decimal(1), Decimal(1), Decimal(1)),
        rebalance_band=0.0,
        status=DeploymentStatus.ACTIVE,
        deployed_at=clock.now(),
    )
    await deployments.create(live)
    assert "real money trades live" in refused(await caller.delete(COINSPOTS), 409, "CONFLICT")["message"]
    assert (await caller.put(COINSPOTS, MINE)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (COINSPOTS, {"api_key": KEY}),
        (COINSPOTS, {**MINE, "api_key": ""}),
        (COINSPOTS, {**MINE, "api_key": "a b"}),
        (COINSPOTS, {**MINE, "api_key": "schlüssel"}),
        (COINSPOTS, {**MINE, "api_key": "line\nbreak"}),
        (COINSPOTS, {**MINE, "api_secret": "x" * 1_001}),
        (COINSPOTS, {**MINE, "api_secret": 7}),
        (COINSPOTS, {**MINE, "withdrawals_disabled": "yes"}),
        (COINSPOTS, {**MINE, "passphrase": "x"}),
        ("/api/v1/credentials/llm/openai", MINE),
        ("/api/v1/credentials/exchanges/Kraken", MINE),
        ("/api/v1/credentials/exchanges/..%2f", MINE),
    ],
)
async def test_what_is_no_key_is_refused(caller, path, body, venue):
    answer = await caller.post(path, body)
    assert answer.status_code in (404, 422)
    assert venue.store.kept == {}


async def test_what_a_clipboard_puts_around_a_key_is_left_out(caller, venue):
    await caller.post(COINSPOTS, {"api_key": f" {KEY}\n", "api_secret": f"{SECRET}\r\n"})
    assert venue.tried == [MINE]


async def test_coinspots_key_is_one_key_by_either_path(caller, refused):
    await caller.post(COINSPOTS, MINE)
    elsewhere = "/api/v1/credentials/exchanges/coinspot"
    assert (await caller.get(elsewhere)).json() == (await caller.get(COINSPOTS)).json()
    refused(await caller.post(elsewhere, MINE), 409, "CONFLICT")
    refused(await caller.put(elsewhere, {**MINE, "passphrase": "x"}), 409, "CONFLICT")
