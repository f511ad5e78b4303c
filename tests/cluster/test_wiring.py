"""Settings become adapters."""

import os
import pickle
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from cluster.confinement import Confinement
from cluster.floor import Floor
from cluster.ports import Ports
from cluster.processes import started
from cluster.serving import Serving
from cluster.wiring import Wiring, wiring
from omc.access.quota import Allowance
from omc.errors import InvalidInput, Unavailable
from omc.market.terms import OrderKind
from omc.trading.deployment import Mode


@pytest.fixture
def ports() -> Iterator[Ports]:
    held = Ports()
    yield held
    held.release()


def wired(tmp_path, **given):
    return wiring(home=tmp_path, **given)


def test_a_wrong_setting_is_one_sentence_that_names_it(tmp_path, monkeypatch):
    with pytest.raises(InvalidInput, match=r"^poll_s \(OMC_POLL_S\): .*greater"):
        wired(tmp_path, poll_s=0)
    monkeypatch.setenv("OMC_PORT", "many")
    with pytest.raises(InvalidInput, match=r"^port \(OMC_PORT\)"):
        wired(tmp_path)
    with pytest.raises(InvalidInput, match=r"^HTTP, Ray's dashboard and the sandbox exchange need a port each$"):
        wired(tmp_path, port=8123, dashboard_port=8123)


def test_what_is_given_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OMC_PORT", "8123")
    assert wired(tmp_path).http == ("127.0.0.1", 8123)
    assert wired(tmp_path, port=8124).url == "http://127.0.0.1:8124"
    assert wired(tmp_path, port=None).http[1] == 8123


def test_open_ports_are_settled_and_taken_ones_refused(tmp_path, ports):
    settled = wired(tmp_path, port=0, dashboard_port=0).claimed(ports)
    assert len({settled.chosen.port, settled.chosen.dashboard_port, settled.chosen.sandbox_port}) == 3
    assert str(settled.chosen.sandbox_port) in settled.exchange_url
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Unavailable, match="for HTTP"):
            wired(tmp_path, port=other.getsockname()[1]).claimed(ports)


def test_terms_follow_the_settings(tmp_path):
    terms = wired(tmp_path, market_coins="btc").terms
    assert terms.kind("BTC") is OrderKind.MARKET
    assert terms.kind("ETH") is OrderKind.INSTANT


def test_quotas_follow_the_settings(tmp_path, monkeypatch):
    assert wired(tmp_path).allowance == Allowance()
    monkeypatch.setenv("OMC_QUOTA_CPU_S", "3600")
    assert wired(tmp_path, quota_sweeps=7).allowance == Allowance(sweeps=7, cpu_s=3_600.0)


def test_a_synthetic_market_is_played_for_its_last_third_unless_told(tmp_path):
    market = wired(tmp_path, synthetic_days=9)
    assert market.tape_days(market.tape()) == 3
    assert wired(tmp_path, synthetic_days=9, tape_days=2).tape_days(market.tape()) == 2


def test_no_secret_travels_with_what_actors_are_handed(tmp_path):
    there = wired(tmp_path, database_url="postgresql://omc:hunter2@db/omc")
    handed = (there.prices, there.blotter, there.deployments, there.venues, there.price_source, there.signer)
    assert b"hunter2" not in pickle.dumps(handed)
    assert "hunter2" not in repr(there)


async def test_an_exchange_that_only_shows_prices_opens_no_accounts(tmp_path):
    there = wired(tmp_path, external_exchange="http://127.0.0.1:9")
    assert there.sandbox_control is None
    with pytest.raises(Unavailable, match="opens no paper accounts"):
        await there.venues.open(type("Named", (), {"name": "first", "mode": Mode.PAPER})())


def test_an_external_sandbox_is_reached_with_its_token(tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("0" * 64)
    there = wired(tmp_path, external_exchange="http://127.0.0.1:9", external_token_file=token_file)
    assert there.sandbox_control is not None
    assert there.exchange_url == "http://127.0.0.1:9"


def test_the_sandbox_is_told_what_to_play(tmp_path):
    command = wired(tmp_path, tape=["/a.csv"], lockstep=True, sandbox_port=8801).sandbox_command(288)
    joined = " ".join(command)
    for part in (
        "--port 8801",
        "--tape /a.csv",
        "--start-at 288",
        "--lockstep",
        "--min-order 1.00",
        "--market-coin BTC",
    ):
        assert part in joined
    assert "--faults" not in joined
    assert wired(tmp_path, faults=0).sandbox_command(288)[-2:] == ["--faults", "0"]
    assert "--speed" not in joined


def test_the_floor_is_described_without_starting_it(tmp_path):
    assert isinstance(Floor(wired(tmp_path)).wired, Wiring)


def test_locks_are_tried_once_for_all_of_the_platforms_processes(tmp_path):
    there = wired(tmp_path)
    there.home.prepare()
    said = Confinement("landlock: this kernel has none")
    there.home.write_record(pid=os.getpid(), started=started(os.getpid()), confinement=said.document)
    assert there.confinement == said
    with pytest.raises(InvalidInput, match="this kernel has none"):
        wired(tmp_path).floor_maker.of("class A: pass")("custom", {})


def test_the_last_of_a_machine_is_the_floors(tmp_path):
    there = wired(tmp_path)
    there.home.prepare()
    there.home.write_record(pid=os.getpid(), started=started(os.getpid()), confinement=Confinement(None).document)
    serving = Serving(there, "http://127.0.0.1:1", "127.0.0.1:2")
    lab, floor = (ports.maker.sandbox.__self__ for ports in (serving._lab(), serving._floor()))
    assert (there.lab_maker.sandbox.__self__, there.floor_maker.sandbox.__self__) == (lab, floor)
    assert lab.meeting == floor.meeting
    with pytest.raises(Unavailable, match="192 sandboxes run already on this machine"):
        lab.together.check(192, 0)
    replace(floor.together, free_bytes=0).check(255, 0)
    assert lab.together.free_bytes == 2 * floor.together.free_bytes


def test_what_a_platform_that_is_gone_found_or_was_allowed_counts_for_nobody(tmp_path):
    said = Confinement("landlock: this kernel has none", asked=True)
    mine = started(os.getpid())
    assert mine is not None
    for record in (
        {},
        {"pid": os.getpid()},
        {"pid": os.getpid(), "started": mine + 1},
        {"pid": 2**22 + 1, "started": mine},
        {"pid": 2**22 + 1, "started": None},
        {"pid": str(os.getpid()), "started": mine},
    ):
        there = wired(tmp_path)
        there.home.prepare()
        there.home.write_record(**record, confinement=said.document)
        assert there.home.running() is None
        assert there.confinement.why != said.why
        assert not there.confinement.asked
        assert not there.floor_maker.unsafe


def test_where_no_platform_runs_the_locks_are_tried_now_and_the_operators_wish_is_known(tmp_path):
    there = wired(tmp_path, allow_unsafe_sandbox=True)
    assert there.confinement.asked
    assert there.floor_maker.unsafe is there.confinement.unsafe


COINSPOT = "https://www.coinspot.com.au"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, f"plays a tape.*OMC_EXTERNAL_EXCHANGE={COINSPOT}"),
        (
            {"external_exchange": "http://127.0.0.1:9"},
            "prices come from http://127.0.0.1:9 and live orders would go to",
        ),
        ({"external_exchange": COINSPOT}, None),
        ({"external_exchange": "http://127.0.0.1:9/", "live_exchange_url": "http://127.0.0.1:9"}, None),
    ],
    ids=["a tape", "a stand-in that is not named", "the real one", "a stand-in that is"],
)
async def test_real_money_follows_the_exchange_that_takes_its_orders(tmp_path, given, refusal):
    there = wired(tmp_path, **given)
    live = type("Named", (), {"name": "first", "mode": Mode.LIVE, "user_id": UUID(int=1)})()
    facts = there.venue_facts["coinspot"]
    if refusal is None:
        assert facts.live_refusal is None
        assert await there.venues.open(live)
    else:
        assert re.search(refusal, facts.live_refusal)
        with pytest.raises(Unavailable, match="first is not traded"):
            await there.venues.open(live)


@pytest.mark.parametrize("url", ["http://www.coinspot.com.au", "http://10.0.0.1:9"])
def test_keys_are_not_sent_over_an_open_line(tmp_path, url):
    with pytest.raises(InvalidInput, match="begin with https"):
        wired(tmp_path, live_exchange_url=url)


def test_orders_and_examinations_share_an_account_in_the_actor_too(tmp_path):
    there = wired(tmp_path, external_exchange=COINSPOT)
    venues, examiner = pickle.loads(pickle.dumps((there.venues, there.live_venues)))
    assert venues.live is examiner
