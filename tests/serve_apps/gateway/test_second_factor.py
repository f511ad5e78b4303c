"""A second factor is set up with the password, confirmed by a device, and asked for before exchange keys are kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from omc.access.second_factor import code_of, secret_bytes, step_of
from omc.access.second_factors import SecondFactors

FACTOR = "/api/v1/users/second-factor"
COINSPOT = "/api/v1/credentials/coinspot"
KEY = {"api_key": "k" * 32, "api_secret": "s" * 64}
PASSWORD = "correct horse battery staple"


@pytest.fixture
def ports(ports, clock):
    return replace(ports, second_factors=SecondFactors.in_memory(clock))


@pytest.fixture
async def ada(app, calling, ports):
    """Somebody whose account exists."""
    user = await ports.users.create("ada@example.com", ports.hasher.hash(PASSWORD), None)
    return calling(app, user_id=user.id)


@pytest.fixture
def shown(clock):
    """`shown(secret)` is what a device that knows it shows now, thirty seconds later than it was last asked."""

    def show(secret: str) -> str:
        clock.advance(timedelta(seconds=30))
        return code_of(secret_bytes(secret), step_of(clock.now()))

    return show


@pytest.fixture
def switching_on(ada, shown):
    async def switch_on() -> tuple[str, list[str]]:
        begun = (await ada.post(FACTOR, {"password": PASSWORD})).json()["data"]
        answer = await ada.post(f"{FACTOR}/confirm", {"code": shown(begun["secret"])})
        assert answer.status_code == 200, answer.text
        return begun["secret"], answer.json()["data"]["recovery_codes"]

    return switch_on


async def off(caller, password: str, code: str):
    return await caller.ask("DELETE", FACTOR, json={"password": password, "code": code})


async def test_it_goes_from_off_to_pending_to_on_and_back(ada, switching_on, shown):
    assert (await ada.get(FACTOR)).json()["data"]["state"] == "off"
    answer = await ada.post(FACTOR, {"password": PASSWORD})
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["data"]["otpauth_uri"].startswith("otpauth://totp/Oh%20My%20Coins%3Aada%40example.com?")
    assert (await ada.get(FACTOR)).json()["data"]["state"] == "pending"
    secret, codes = await switching_on()
    state = (await ada.get(FACTOR)).json()["data"]
    assert (state["state"], state["recovery_codes_left"], len(codes)) == ("on", 10, 10)
    assert (await off(ada, PASSWORD, shown(secret))).status_code == 200
    assert (await ada.get(FACTOR)).json()["data"]["state"] == "off"


async def test_only_the_password_sets_it_up_and_only_both_switch_it_off(ada, switching_on, shown, refused):
    refused(await ada.post(FACTOR, {"password": "another horse battery"}), 403, "FORBIDDEN")
    secret, codes = await switching_on()
    refused(await ada.post(FACTOR, {"password": PASSWORD}), 409, "CONFLICT")
    refused(await off(ada, "another horse battery", shown(secret)), 403, "FORBIDDEN")
    refused(await off(ada, PASSWORD, "aaaa-aaaa-aaaa-aaaa"), 403, "FORBIDDEN")
    assert (await off(ada, PASSWORD, codes[0])).status_code == 200


async def test_exchange_keys_are_kept_with_a_code_and_each_code_serves_once(ada, switching_on, shown, refused):
    secret, _ = await switching_on()
    for path in (COINSPOT, "/api/v1/credentials/exchanges/kraken"):
        missing = refused(await ada.post(path, KEY), 403, "FORBIDDEN")
        assert missing["details"] == {"second_factor": "required"}
        code = shown(secret)
        assert (await ada.post(path, KEY, headers={"X-Second-Factor": code})).status_code == 201
        again = await ada.ask("PUT", path, json=KEY, headers={"X-Second-Factor": code})
        assert refused(again, 403, "FORBIDDEN")["details"] == {"second_factor": "wrong"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/v1/users/profile", {"email": "ada@lovelace.example"}),
        ("PUT", "/api/v1/users/password", {"new_password": "staple battery horse"}),
        ("DELETE", "/api/v1/users/profile", {}),
    ],
    ids=["another email", "another password", "deletion"],
)
async def test_what_takes_an_account_from_its_owner_asks_for_the_password_and_then_a_code(
    ada, switching_on, shown, refused, method, path, body
):
    secret, _ = await switching_on()
    body = {**body, "current_password": PASSWORD}
    missing = refused(await ada.ask(method, path, json=body), 403, "FORBIDDEN")
    assert missing["details"] == {"second_factor": "required"}
    wrong = refused(await coded(ada, method, path, body, "000000"), 403, "FORBIDDEN")
    assert wrong["details"] == {"second_factor": "wrong"}
    code = shown(secret)
    guessed = refused(await coded(ada, method, path, {**body, "current_password": "a guess"}, code), 403, "FORBIDDEN")
    assert "second_factor" not in guessed["details"]
    # The guess has not used the code up.
    assert (await coded(ada, method, path, body, code)).status_code == 200


async def test_a_superuser_with_a_second_factor_shuts_out_and_deletes_by_a_code(
    ada, switching_on, shown, refused, ports
):
    secret, _ = await switching_on()
    await ports.users.set_superuser("ada@example.com", granted=True)
    bob = await ports.users.create("bob@example.com", ports.hasher.hash("staple horse battery"), None)
    path = f"/api/v1/users/{bob.id}"
    for method, body in (("PATCH", {"is_active": False}), ("DELETE", {})):
        body |= {"current_password": PASSWORD}
        missing = refused(await ada.ask(method, path, json=body), 403, "FORBIDDEN")
        assert missing["details"] == {"second_factor": "required"}
        assert (await coded(ada, method, path, body, shown(secret))).status_code == 200


async def test_ones_word_that_a_key_cannot_withdraw_takes_a_code(ada, switching_on, shown, refused, ports):
    for path in (COINSPOT, "/api/v1/credentials/exchanges/kraken"):
        assert (await ada.post(path, KEY)).status_code == 201
    secret, _ = await switching_on()
    word = {"withdrawals_disabled": True}
    for path in (COINSPOT, "/api/v1/credentials/exchanges/kraken"):
        assert "second_factor" not in (await ada.post(f"{path}/validate")).text
        missing = refused(await ada.post(f"{path}/validate", word), 403, "FORBIDDEN")
        assert missing["details"] == {"second_factor": "required"}
        assert (await ada.get(path)).json()["data"]["withdrawals_disabled"] is False
        await ada.post(f"{path}/validate", word, headers={"X-Second-Factor": shown(secret)})
        assert (await ada.get(path)).json()["data"]["withdrawals_disabled"] is True
        # Said again, it changes nothing.
        assert "second_factor" not in (await ada.post(f"{path}/validate", word)).text


async def coded(caller, method: str, path: str, body: dict[str, object], code: str):
    return await caller.ask(method, path, json=body, headers={"X-Second-Factor": code})


async def test_what_opens_no_way_to_money_asks_for_nothing(ada, switching_on):
    await switching_on()
    assert (await ada.post("/api/v1/credentials/llm/openai", {"api_key": "k" * 32})).status_code == 201
    assert (await ada.get("/api/v1/credentials")).status_code == 200


async def test_wrong_codes_in_a_row_have_to_wait_as_long_as_is_said(ada, switching_on, shown, refused, clock):
    secret, _ = await switching_on()
    for _ in range(5):
        refused(await ada.post(COINSPOT, KEY, headers={"X-Second-Factor": "000000"}), 403, "FORBIDDEN")
    answer = await ada.post(COINSPOT, KEY, headers={"X-Second-Factor": "000000"})
    assert refused(answer, 429, "RATE_LIMITED")["details"] == {"retry_after_s": 30}
    assert answer.headers["retry-after"] == "30"
    clock.advance(timedelta(seconds=10.5))
    answer = await off(ada, PASSWORD, "000000")
    assert refused(answer, 429, "RATE_LIMITED")["message"] == "too many wrong codes: wait 20 seconds"
    assert answer.headers["retry-after"] == "20"
    assert (await ada.post(COINSPOT, KEY, headers={"X-Second-Factor": shown(secret)})).status_code == 201
