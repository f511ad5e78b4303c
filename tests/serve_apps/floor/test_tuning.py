"""Other parameters for what is deployed: what they may be, from when on they hold, and what the report makes of it."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from omc.strategy.algorithm import AlgorithmStatus
from omc.trading.deployment import DeploymentStatus, Mode
from omc.trading.tuning import Tuning


@pytest.fixture
def tuning(caller):
    """`await tuning(made, **parameters)` asks for other ones."""

    async def tune(made: dict, **parameters: object):
        return await caller.put(f"/algorithms/{made['id']}/parameters", {"parameters": parameters})

    return tune


def journaled(ports) -> list[Tuning]:
    lines = [Tuning.told_in(entry.data) for _, entry in ports.deployments.journal.lines if entry.kind == "deployment"]
    return [each for each in lines if each is not None]


async def test_what_is_named_changes_and_the_rest_stays(deploying, tuning, ports, caller):
    made = await deploying()
    nudges = ports.supervision.nudges
    answer = await tuning(made, fast_bars=6)
    assert answer.status_code == 200, answer.text
    wanted = {**made["parameters"], "fast_bars": 6}
    assert answer.json()["data"] == {**made, "parameters": wanted}
    assert (await caller.get(f"/deployments/{made['id']}")).json()["data"]["parameters"] == wanted
    assert journaled(ports) == [Tuning(made["parameters"], wanted, None)]
    (owner,) = {owner for owner, entry in ports.deployments.journal.lines if entry.data.get("parameters_before")}
    assert owner == caller.user_id
    assert ports.supervision.nudges == nudges + 1


async def test_a_change_that_changes_nothing_is_no_change(deploying, tuning, ports):
    made = await deploying()
    for _ in range(2):
        assert (await tuning(made, fast_bars=6)).status_code == 200
    assert (await tuning(made)).json()["data"]["parameters"]["fast_bars"] == 6
    assert len(journaled(ports)) == 1
    assert (await ports.blotter.recall(UUID(made["id"]))).heard == 1


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"fast_bars": 0}, "fast_bars"),
        ({"fast_bars": 50}, "fast_bars"),
        ({"fast_bars": "4"}, "fast_bars"),
        ({"exposure": 1.5}, "exposure"),
        ({"speed": 5}, "speed"),
        ({"fast_bars": None}, "fast_bars"),
    ],
    ids=str,
)
async def test_what_the_algorithm_does_not_take_is_refused_by_name(deploying, tuning, ports, refused, named, said):
    made = await deploying()
    error = refused(await tuning(made, **named), 422, "VALIDATION_ERROR")
    assert said in str(error)
    assert (await ports.deployments.get(UUID(made["id"]))).parameters == made["parameters"]
    assert journaled(ports) == []


async def test_somebody_elses_or_nobodys_is_not_there(deploying, other, caller, refused):
    made = await deploying()
    body = {"parameters": {"fast_bars": 6}}
    refused(await other.put(f"/algorithms/{made['id']}/parameters", body), 404, "NOT_FOUND")
    refused(await caller.put(f"/algorithms/{uuid4()}/parameters", body), 404, "NOT_FOUND")


async def test_what_was_stopped_takes_none_and_what_is_paused_does(deploying, tuning, ports, refused, caller):
    made = await deploying()
    await caller.post(f"/algorithms/{made['id']}/pause")
    assert (await tuning(made, fast_bars=6)).json()["data"]["status"] == DeploymentStatus.PAUSED
    await caller.post(f"/algorithms/{made['id']}/deactivate")
    for named in ({"fast_bars": 7}, {"fast_bars": 6}):
        refused(await tuning(made, **named), 409, "CONFLICT")
    assert len(journaled(ports)) == 1


async def test_what_closes_positions_stays(deploying, tuning, ports, refused, algorithm):
    record = await algorithm()
    reverting = replace(record, algorithm_type="mean_reversion", parameters={"window_bars": 24, "stop_loss": 0.05})
    ports.algorithms.kept[record.id] = reverting
    made = await deploying(algorithm_id=str(record.id))
    assert (await tuning(made, window_bars=30)).status_code == 200
    error = refused(await tuning(made, stop_loss=0.04, window_bars=31), 409, "CONFLICT")
    assert "stop_loss, window_bars: stops, targets and ages" in error["message"]
    assert len(journaled(ports)) == 1


async def test_a_change_while_another_is_made_keeps_both(deploying, tuning, ports, caller, monkeypatch):
    made = await deploying()
    known, changes = ports.deployments.get, iter([{"slow_bars": 20}])

    async def overtaken(deployment_id, user_id=None):
        found = await known(deployment_id, user_id)
        change = next(changes, None)
        if change is not None:
            await ports.blotter.set_parameters(found.id, {**found.parameters, **change}, before=found.parameters)
        return found

    monkeypatch.setattr(type(ports.deployments), "get", lambda _, *args: overtaken(*args))
    parameters = (await tuning(made, fast_bars=6)).json()["data"]["parameters"]
    assert (parameters["fast_bars"], parameters["slow_bars"]) == (6, 20)


# The report


async def test_each_stretch_is_held_against_the_parameters_that_held_then(deploying, tuning, playing, caller, ports):
    made = await deploying(deployment_name="Trend")
    for first, last, named in (
        (20, 200, {"fast_bars": 6, "slow_bars": 40}),
        (200, 380, {"fast_bars": 2, "slow_bars": 5}),
    ):
        await playing(made["id"], first, last)
        assert (await tuning(made, **named)).status_code == 200
    await playing(made["id"], 380, 520)
    told = (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]
    assert told["differences"] == []
    assert told["backtest_trades"] == told["floor_trades"] == told["paired"] > 20
    times = [fill.executed_at for row in ports.blotter._rows.values() for fill in row.order.fills]
    first, second = (each.last_bar for each in journaled(ports))
    assert min(times) <= first < second < max(times)
    assert any(first < time <= second for time in times)
    assert (await caller.get(f"/algorithms/{made['id']}/report")).status_code == 200


async def test_a_report_that_was_made_before_a_change_is_not_shown_after_it(deploying, tuning, playing, caller):
    made = await deploying(deployment_name="Trend")
    await playing(made["id"], 20, 200)
    before = (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]
    assert (await tuning(made, fast_bars=2, slow_bars=5)).status_code == 200
    assert (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"] == before
    await playing(made["id"], 200, 400)
    after = (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]
    assert after["differences"] == []
    assert after["paired"] > before["paired"]


async def test_a_change_before_the_first_bar_decides_all_of_them(deploying, tuning, playing, caller):
    made = await deploying(deployment_name="Trend")
    assert (await tuning(made, fast_bars=2, slow_bars=5)).status_code == 200
    await playing(made["id"], 20, 300)
    told = (await caller.get(f"/algorithms/{made['id']}/parity")).json()["data"]
    assert (told["differences"], told["different"]) == ([], 0)
    assert told["paired"] > 10


# Real money


@pytest.fixture
async def live(deploying, ports):
    """A deployment of real money of an algorithm that passed its gates."""
    made = await deploying()
    known = await ports.deployments.get(UUID(made["id"]))
    ports.deployments.kept[known.id] = replace(known, mode=Mode.LIVE)
    await passed(ports, known)
    return made


async def passed(ports, deployment, **parameters) -> None:
    """The newest version has passed all gates, with other parameters if any are named."""
    record = await ports.algorithms.get(deployment.algorithm_id, deployment.user_id)
    if parameters:
        record = await ports.algorithms.update(replace(record, parameters={**record.parameters, **parameters}), record)
    await ports.algorithms.set_status(record.id, record.user_id, AlgorithmStatus.DEPLOYABLE, seen=record)


async def test_real_money_takes_no_parameters_that_passed_no_gate(live, tuning, ports, refused):
    error = refused(await tuning(live, fast_bars=6), 409, "GATE_NOT_PASSED")
    assert "what passed the gates has fast_bars 4, not 6" in error["message"]
    assert journaled(ports) == []


async def test_real_money_takes_those_that_passed_since(live, tuning, ports, refused):
    known = await ports.deployments.get(UUID(live["id"]))
    await passed(ports, known, fast_bars=6)
    refused(await tuning(live, fast_bars=7), 409, "GATE_NOT_PASSED")
    answer = await tuning(live, fast_bars=6)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["parameters"]["fast_bars"] == 6


async def test_real_money_waits_until_the_edited_algorithm_has_passed_again(live, tuning, ports, refused):
    known = await ports.deployments.get(UUID(live["id"]))
    record = await ports.algorithms.get(known.algorithm_id, known.user_id)
    await ports.algorithms.update(
        replace(record, parameters={**record.parameters, "fast_bars": 6}, status=AlgorithmStatus.DRAFT), record
    )
    error = refused(await tuning(live, fast_bars=6), 409, "GATE_NOT_PASSED")
    assert "live trading needs it deployable" in error["message"]
