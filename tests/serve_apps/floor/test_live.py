"""What real money asks for before it is traded: an exchange, a key, limits, cash that is there, its owner's word."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from omc.access.credential import COINSPOT, Access, sealed
from omc.access.credential_store import MemoryCredentialStore
from omc.access.second_factor import code_of, secret_bytes, step_of
from omc.access.second_factors import SecondFactors
from omc.access.vault import MemoryVault
from omc.errors import Unavailable
from omc.trading.capability import VenueFacts
from omc.trading.paper.exchange import CAPABILITIES
from serve_apps.floor.app import PREFIX, build

LIMITS = {"order_notional_aud": "500", "position_notional_aud": "800.00", "daily_loss_aud": "50"}


@dataclass
class Desk:
    """A risk desk whose venue shows `cash`."""

    desk: Any
    cash: Decimal | Unavailable = Decimal("1000.00")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk, name)

    async def balances(self, deployment):
        if isinstance(self.cash, Unavailable):
            raise self.cash
        return {"AUD": self.cash, "BTC": Decimal(3)}


@pytest.fixture
def desk(ports) -> Desk:
    return Desk(ports.risk)


@pytest.fixture
def live_ports(ports, desk, clock):
    return replace(
        ports,
        risk=desk,
        credentials=MemoryCredentialStore(clock, ports.deployments),
        second_factors=SecondFactors.in_memory(clock),
    )


@pytest.fixture
def app(live_ports):
    return build(live_ports)


@pytest.fixture
def trusted(live_ports, caller, clock):
    """`await trusted(access, promised)` stores a key of the caller's that the venue said this of."""

    async def trust(access: Access | None = Access.FULL, promised: bool = True, message: str | None = "no"):
        store = live_ports.credentials
        made = sealed(COINSPOT, caller.user_id, {"api_key": "k" * 32}, MemoryVault(), at=clock.now())
        await store.add(replace(made, withdrawals_disabled=promised))
        if access is not None:
            await store.examined(made, access, None if access is Access.FULL else message)

    return trust


@pytest.fixture
def asking(caller, algorithm):
    """`await asking(…)` asks for a live deployment; what is named replaces what is asked for."""

    async def ask(status: str = "deployable", key: str | None = None, **change: object):
        name = change.get("deployment_name", "trend one")
        body = {
            "algorithm_id": str((await algorithm(status)).id),
            "deployment_name": name,
            "coins": ["BTC"],
            "mode": "live",
            "cash": "600.00",
            "risk_limits": LIMITS,
            "confirmation": f"trade {name} with real money",
            **change,
        }
        return await caller.post("/deploy", body, headers={"Idempotency-Key": key} if key else {})

    return ask


async def test_real_money_is_put_to_work_when_everything_is_there(asking, trusted, live_ports, caller):
    await trusted()
    answer = await asking()
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert (made["mode"], made["venue"], made["status"], made["cash"]) == ("live", "coinspot", "active", "600.00000000")
    assert made["risk_limits"]["daily_loss_aud"] == "50.00000000"
    (stored,) = live_ports.deployments.kept.values()
    assert stored.account == f"coinspot:{caller.user_id}"


@pytest.mark.parametrize(
    ("access", "promised", "said"),
    [
        (None, True, "not validated: nobody has asked the venue"),
        (Access.REFUSED, True, "not validated: no"),
        (Access.READ_ONLY, True, "cannot trade: no"),
        (Access.FULL, False, "does not tell whether a key may withdraw"),
    ],
    ids=["never asked", "refused", "read only", "may withdraw"],
)
async def test_a_key_that_does_not_fit_trades_no_real_money(
    asking, trusted, live_ports, refused, access, promised, said
):
    await trusted(access, promised)
    assert said in refused(await asking(), 409, "CONFLICT")["message"]
    assert live_ports.deployments.kept == {}


async def test_without_a_key_it_is_said_where_one_goes(asking, refused):
    assert "POST /api/v1/credentials/coinspot" in refused(await asking(), 409, "CONFLICT")["message"]


async def test_a_venue_that_tells_needs_nobodys_word(live_ports, calling, caller, asking, trusted, algorithm):
    telling = VenueFacts(
        "coinspot", replace(CAPABILITIES, shows_withdrawal_right=True), live_ports.terms, live_refusal=None
    )
    await trusted(promised=False)
    there = calling(build(replace(live_ports, venues={"coinspot": telling})), PREFIX, caller.user_id)
    body = {
        "algorithm_id": str((await algorithm("deployable")).id),
        "deployment_name": "x",
        "coins": ["BTC"],
        "mode": "live",
        "cash": "1.00",
        "risk_limits": LIMITS,
        "confirmation": "trade x with real money",
    }
    assert (await there.post("/deploy", body)).status_code == 201


@pytest.mark.parametrize(
    "typed",
    [None, "", "yes", "trade trend one with real money ", "Trade trend one with real money", "trade x with real money"],
)
async def test_it_is_confirmed_to_the_letter(asking, trusted, live_ports, refused, typed):
    await trusted()
    error = refused(await asking(confirmation=typed), 422, "VALIDATION_ERROR")
    assert '"trade trend one with real money"' in error["message"]
    assert live_ports.deployments.kept == {}


async def test_it_is_asked_when_what_passed_the_gates_was_asked(asking, trusted, live_ports, refused):
    await trusted()
    error = refused(await asking(triggers=[{"on": "schedule", "every_s": 3600}]), 409, "CONFLICT")
    assert "was asked on every bar" in error["message"]
    assert "no gate has seen these triggers" in error["message"]
    assert live_ports.deployments.kept == {}
    assert (await asking(triggers=[])).status_code == 201


@pytest.mark.parametrize("missing", LIMITS)
async def test_its_limits_have_no_defaults(asking, trusted, live_ports, refused, missing):
    await trusted()
    some = {name: value for name, value in LIMITS.items() if name != missing}
    assert missing in refused(await asking(risk_limits=some), 422, "VALIDATION_ERROR")["message"]
    assert "limits that you set" in refused(await asking(risk_limits={}), 422, "VALIDATION_ERROR")["message"]
    assert live_ports.deployments.kept == {}


async def test_what_has_not_passed_the_last_gate_trades_no_real_money(asking, trusted, refused):
    await trusted()
    refused(await asking("validated"), 409, "GATE_NOT_PASSED")


async def test_it_has_the_parameters_that_passed_the_gates(asking, trusted, live_ports, refused):
    await trusted()
    error = refused(await asking(parameters={"fast_bars": 6}), 409, "GATE_NOT_PASSED")
    assert "what passed the gates has fast_bars 4, not 6" in error["message"]
    assert not live_ports.deployments.kept
    assert (await asking(parameters={"fast_bars": 4})).status_code == 201


async def test_its_cash_must_be_free_in_the_account(asking, trusted, live_ports, refused):
    await trusted()
    assert (await asking(cash="1000.01")).status_code == 409
    assert (await asking()).status_code == 201
    error = refused(await asking(deployment_name="another", cash="400.01"), 409, "CONFLICT")
    assert "A$400.00 that are free" in error["message"]
    assert (await asking(deployment_name="another", cash="400.00")).status_code == 201


@pytest.mark.parametrize(("times", "code"), [(1, 201), (9, 409)])
async def test_cash_is_counted_again_when_the_account_trades_meanwhile(asking, trusted, live_ports, desk, times, code):
    await trusted()
    first = (await asking()).json()["data"]
    books, left = live_ports.deployments.cash, [times]

    async def balances(deployment):
        if left[0]:
            left[0] -= 1
            books[UUID(first["id"])] = Decimal("600.00") - 10 * left[0]
            books[UUID(first["id"])] -= Decimal("0.01")
        return {"AUD": Decimal("1000.00")}

    desk.balances = balances
    answer = await asking(deployment_name="another", cash="400.00")
    assert answer.status_code == code, answer.text
    assert code == 201 or "traded while its cash was counted" in answer.json()["error"]["message"]


async def test_an_account_that_is_not_shown_is_allotted_to_nobody(asking, trusted, live_ports, desk, refused):
    await trusted()
    desk.cash = Unavailable("balances were not shown: invalid key")
    assert "invalid key" in refused(await asking(), 503, "UNAVAILABLE")["message"]
    assert live_ports.deployments.kept == {}


async def test_the_same_key_again_deploys_once(asking, trusted, live_ports, refused):
    await trusted()
    once = "one and the same".replace(" ", "-")
    body = {"algorithm_id": None}
    first = await asking(key=once)
    body["algorithm_id"] = first.json()["data"]["algorithm_id"]
    again = await asking(key=once, **body)
    assert (again.status_code, again.json()) == (201, first.json())
    refused(await asking(key=once, cash="5.00", **body), 409, "CONFLICT")
    assert len(live_ports.deployments.kept) == 1


async def test_a_platform_that_plays_a_tape_says_so(live_ports, calling, caller, trusted, algorithm, refused):
    await trusted()
    tape = replace(live_ports.venues["coinspot"], live_refusal="this platform plays a tape")
    there = calling(build(replace(live_ports, venues={"coinspot": tape})), PREFIX, caller.user_id)
    body = {"algorithm_id": str((await algorithm("deployable")).id), "deployment_name": "x", "coins": ["BTC"]}
    error = refused(await there.post("/deploy", {**body, "mode": "live", "cash": "1"}), 409, "CONFLICT")
    assert "no real money is traded at coinspot from here: this platform plays a tape" in error["message"]


async def test_activating_again_is_confirmed_again(asking, trusted, caller, live_ports, refused):
    await trusted()
    made = (await asking()).json()["data"]
    path = f"/algorithms/{made['id']}"
    assert (await caller.post(f"{path}/activate")).status_code == 200  # it is active already
    await caller.post(f"{path}/pause")
    for body in (None, {}, {"confirmation": "yes"}):
        error = refused(await caller.post(f"{path}/activate", body), 422, "VALIDATION_ERROR")
        assert "trade trend one with real money" in error["message"]
    await live_ports.credentials.delete(caller.user_id, COINSPOT)
    confirmed = {"confirmation": "trade trend one with real money"}
    refused(await caller.post(f"{path}/activate", confirmed), 409, "CONFLICT")
    await trusted()
    turned = await caller.post(f"{path}/activate", confirmed)
    assert (turned.status_code, turned.json()["data"]["status"]) == (200, "active")


async def test_paper_is_activated_as_ever(deploying, caller):
    made = await deploying()
    await caller.post(f"/algorithms/{made['id']}/pause")
    assert (await caller.post(f"/algorithms/{made['id']}/activate")).status_code == 200


async def test_the_venues_table_tells_every_gap_and_every_cost(caller, refused):
    page = (await caller.get("/venues")).json()
    assert page["total"] == 1
    (venue,) = page["items"]
    assert venue == (await caller.get("/venues/coinspot")).json()["data"]
    assert venue["live"] == {"available": True, "refusal": None}
    assert venue["terms"]["market_fee_bps"] == 10
    assert venue["terms"]["instant_fee_bps"] == 100
    assert venue["terms"]["min_order_aud"] == "1.00000000"
    assert "BTC" in venue["terms"]["market_coins"]
    rows = {row["name"]: row for row in venue["capabilities"]}
    assert len(rows) == 8
    assert rows["shows_withdrawal_right"]["has"] is False
    assert "you must say yourself" in rows["shows_withdrawal_right"]["means"]
    refused(await caller.get("/venues/mtgox"), 404, "NOT_FOUND")
    refused(await caller.ask("GET", "/venues", headers={"Authorization": "Bearer x"}), 401, "UNAUTHENTICATED")


async def test_somebody_elses_key_does_not_serve(asking, live_ports, clock, refused):
    made = sealed(COINSPOT, uuid4(), {"api_key": "k" * 32}, MemoryVault(), at=clock.now(), withdrawals_disabled=True)
    await live_ports.credentials.add(made)
    await live_ports.credentials.examined(made, Access.FULL, None)
    assert "has none of coinspot" in refused(await asking(), 409, "CONFLICT")["message"]


@pytest.fixture
def shown(live_ports, caller, clock):
    """`await shown()` is a new code of the caller's second factor, which is on from the first time."""
    known: list[str] = []

    async def show() -> dict[str, str]:
        factors = live_ports.second_factors
        if not known:
            known.append(await factors.begin(caller.user_id))
            await factors.confirm(caller.user_id, code_of(secret_bytes(known[0]), step_of(clock.now())))
        clock.advance(timedelta(seconds=30))
        return {"X-Second-Factor": code_of(secret_bytes(known[0]), step_of(clock.now()))}

    return show


async def test_where_there_is_a_second_factor_real_money_asks_for_a_code_of_it(
    asking, trusted, live_ports, caller, refused, shown, algorithm
):
    await trusted()
    headers = await shown()
    assert refused(await asking(), 403, "FORBIDDEN")["details"] == {"second_factor": "required"}
    assert live_ports.deployments.kept == {}
    body = {
        "algorithm_id": str((await algorithm("deployable")).id),
        "deployment_name": "x",
        "coins": ["BTC"],
        "mode": "live",
        "cash": "1.00",
        "risk_limits": LIMITS,
        "confirmation": "trade x with real money",
    }
    key = {"Idempotency-Key": "once"}
    refused(await caller.post("/deploy", body, headers=key), 403, "FORBIDDEN")
    made = await caller.post("/deploy", body, headers={**headers, **key})
    assert made.status_code == 201, made.text
    which = f"/algorithms/{made.json()['data']['id']}"
    assert (await caller.post(f"{which}/pause")).status_code == 200
    confirmed = {"confirmation": "trade x with real money"}
    refused(await caller.post(f"{which}/activate", confirmed), 403, "FORBIDDEN")
    again = await caller.post(f"{which}/activate", confirmed, headers=headers)
    assert refused(again, 403, "FORBIDDEN")["details"] == {"second_factor": "wrong"}
    assert (await caller.post(f"{which}/activate", confirmed, headers=await shown())).status_code == 200
    assert (await caller.post(f"{which}/deactivate")).status_code == 200
    assert (await caller.post("/emergency-stop")).status_code == 200


async def test_wider_limits_of_real_money_ask_for_a_code_and_narrower_ones_do_not(
    asking, trusted, caller, refused, shown
):
    await trusted()
    made = (await asking()).json()["data"]
    await caller.put("/risk/limits", {"limits": {"daily_loss_aud": "100.00"}})
    headers = await shown()
    for whose in ({"deployment_id": made["id"]}, {}):
        narrower = {**whose, "limits": {"daily_loss_aud": "40.00"}}
        assert (await caller.put("/risk/limits", narrower)).status_code == 200
        wider = {**whose, "limits": {"daily_loss_aud": "45.00"}}
        refused(await caller.put("/risk/limits", wider), 403, "FORBIDDEN")
        assert (await caller.ask("PUT", "/risk/limits", json=wider, headers=headers)).status_code == 200
        headers = await shown()
    elsewhere = {"time_zone": "Asia/Tokyo"}
    refused(await caller.put("/risk/limits", elsewhere), 403, "FORBIDDEN")
    assert (await caller.ask("PUT", "/risk/limits", json=elsewhere, headers=headers)).status_code == 200
    assert (await caller.put("/risk/limits", elsewhere)).status_code == 200


@pytest.mark.parametrize("named", [False, True], ids=["the account", "one deployment"])
@pytest.mark.parametrize("level", ["all", "adding"])
async def test_the_end_of_a_halt_of_real_money_asks_for_a_code(
    asking, trusted, caller, live_ports, refused, shown, level, named
):
    await trusted()
    made = (await asking()).json()["data"]
    headers = await shown()
    place = {"deployment_id": made["id"]} if named else {}
    lock = f"halt-deployment-{made['id']}" if named else "halt-account"

    async def halted() -> bool:
        return await live_ports.kill_switch.halted(caller.user_id, UUID(made["id"])) is not None

    for method, path, body in (("POST", "/emergency-stop/reset", place), ("DELETE", f"/locks/{lock}", None)):
        assert (await caller.post("/emergency-stop", {"level": level, **place})).status_code == 200
        missing = refused(await caller.ask(method, path, json=body), 403, "FORBIDDEN")
        assert missing["details"] == {"second_factor": "required"}
        assert await halted()
        assert (await caller.ask(method, path, json=body, headers=headers)).status_code == 200
        assert not await halted()
        headers = await shown()


async def test_a_coin_of_real_money_that_is_kept_out_is_let_in_by_a_code(asking, trusted, caller, refused, shown):
    await trusted()
    made = (await asking()).json()["data"]
    headers = await shown()
    assert (await caller.post("/forceexit", {"deployment_id": made["id"], "coin": "BTC"})).status_code == 200
    lock = f"/locks/out-{made['id']}-BTC"
    assert refused(await caller.delete(lock), 403, "FORBIDDEN")["details"] == {"second_factor": "required"}
    assert (await caller.ask("DELETE", lock, headers=headers)).status_code == 200


async def test_an_account_of_real_money_that_was_closed_opens_by_a_code(asking, trusted, caller, desk, refused, shown):
    await trusted()
    made = (await asking()).json()["data"]
    headers, body = await shown(), {"deployment_id": made["id"]}
    missing = refused(await caller.post("/reconciliation/accept", body), 403, "FORBIDDEN")
    assert missing["details"] == {"second_factor": "required"}
    assert desk.accepted == []
    assert (await caller.post("/reconciliation/accept", body, headers=headers)).status_code == 200
    assert [each[0] for each in desk.accepted] == [UUID(made["id"])]


async def test_what_trades_no_real_money_any_more_asks_for_no_code(asking, trusted, caller, shown):
    await trusted()
    made = (await asking()).json()["data"]
    await shown()
    assert (await caller.post(f"/algorithms/{made['id']}/deactivate")).status_code == 200
    assert (await caller.post("/emergency-stop")).status_code == 200
    assert (await caller.post("/emergency-stop/reset")).status_code == 200


async def test_paper_asks_for_no_code(caller, deploying, shown):
    await shown()
    made = await deploying()
    wider = {"deployment_id": made["id"], "limits": {"daily_loss_aud": "9000.00"}}
    assert (await caller.put("/risk/limits", wider)).status_code == 200
    for level in ("all", "adding"):
        assert (await caller.post("/emergency-stop", {"level": level})).status_code == 200
        assert (await caller.post("/emergency-stop/reset")).status_code == 200
