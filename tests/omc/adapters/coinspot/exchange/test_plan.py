from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.coinspot.exchange.faults import (
    CHANGES_TRADES,
    FITTING,
    NOT_CARRIED_OUT,
    Asked,
    Fault,
    FaultKind,
    asked,
)
from omc.adapters.coinspot.exchange.plan import FaultPlan, kinds_of
from omc.errors import InvalidInput

PATHS = ("/api/v2/my/buy", "/api/v2/ro/my/orders/completed", "/api/v2/ro/my/balances", "/pubapi/v2/latest")
REQUESTS = st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(["a", "b", "c"])), max_size=40)


def drawn(requests, **plan):
    made = FaultPlan(**plan)
    return [(account, made.next(path, account)) for path, account in requests]


@given(st.integers(0, 2**63 - 1), REQUESTS)
def test_the_same_requests_get_the_same_faults(seed, requests):
    assert drawn(requests, seed=seed, rate=0.5) == drawn(requests, seed=seed, rate=0.5)


@given(st.integers(0, 1000), REQUESTS)
def test_what_one_account_asks_changes_nothing_for_another(seed, requests):
    # Accounts count in the order in which they are heard of.
    first = [(PATHS[3], "a"), (PATHS[3], "b"), (PATHS[3], "c")]
    together = drawn([*first, *requests], seed=seed, rate=0.5)
    for name in "abc":
        alone = drawn([*first, *(each for each in requests if each[1] == name)], seed=seed, rate=0.5)
        assert [f for account, f in together if account == name] == [f for account, f in alone if account == name]


@given(st.integers(0, 1000), REQUESTS)
def test_a_request_gets_only_what_fits_it_and_was_asked_for(seed, requests):
    only = frozenset({FaultKind.STALE_PRICES, FaultKind.NONCE_REFUSED, FaultKind.PARTIAL_FILL})
    plan = FaultPlan(seed, 1.0, only)
    for path, account in requests:
        fault = plan.next(path, account)
        fitting = only.intersection(FITTING[asked(path)])
        assert (fault.kind in fitting) if fitting else fault is None


def test_as_many_requests_get_one_as_the_rate_says_and_every_kind_that_fits_has_its_turn():
    plan = FaultPlan(1, 0.1)
    faults = [plan.next("/api/v2/my/buy", "a") for _ in range(20_000)]
    counts = Counter(fault.kind for fault in faults if fault)
    assert 1_800 < counts.total() < 2_200
    assert counts.keys() == set(FITTING[Asked.ORDER])


def test_a_plan_that_names_its_kinds_strikes_as_it_did_before_there_were_others():
    since = {"carried-out-late", "repeated-request", "listed-late", "lagging-orders", "old-prices"}
    plan = FaultPlan(7, 1.0, frozenset(kind for kind in FaultKind if kind.value not in since))
    paths = (PATHS[0], PATHS[1], "/api/v2/ro/my/orders/market/open", PATHS[3])
    assert [plan.next(path, "a").kind.value for path in paths for _ in range(4)] == [
        *("error-after", "lost-request", "partial-fill", "error-after"),
        *("shuffled-fills", "error-before", "half-answer", "rate-limited"),
        *("half-answer", "nonce-refused", "rate-limited", "error-after"),
        *("crossed-prices", "half-answer", "stale-prices", "crossed-prices"),
    ]


def test_without_a_rate_nothing_goes_wrong_and_the_sandboxs_own_control_is_never_touched():
    assert not any(fault for _, fault in drawn([(path, "a") for path in PATHS * 50], seed=1, rate=0))
    assert FaultPlan(1, 1.0).next("/sandbox/clock", "") is None


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/pubapi/latest", Asked.PRICES),
        ("/pubapi/v2/latest", Asked.PRICES),
        ("/pubapi/v2/latest/btc", Asked.PUBLIC),
        ("/api/v2/my/sell", Asked.ORDER),
        ("/api/my/buy", Asked.ORDER),
        ("/api/v2/my/swap/now", Asked.INSTANT),
        ("/api/v2/my/buy/edit", Asked.ACTION),
        ("/api/v2/my/sell/cancel/all", Asked.ACTION),
        ("/api/v2/ro/my/orders/market/completed", Asked.HISTORY),
        ("/api/ro/my/transactions", Asked.HISTORY),
        ("/api/v2/ro/my/balance/BTC", Asked.BALANCES),
        ("/api/my/balances", Asked.BALANCES),
        ("/api/v2/ro/my/orders/market/open", Asked.OPEN),
        ("/api/v2/ro/orders/market/open", Asked.READING),
        ("/sandbox/step", None),
        ("/", None),
    ],
)
def test_every_path_is_about_something(path, what):
    assert asked(path) is what


def test_every_kind_fits_some_request_and_each_but_two_leaves_no_trace():
    assert {kind for kinds in FITTING.values() for kind in kinds} == set(FaultKind)
    assert {FaultKind.PARTIAL_FILL, FaultKind.CLOCK_SKEW} == CHANGES_TRADES
    for kind in FaultKind:
        carried_out = {Fault(kind, 0.5, seed).acts for seed in range(4)}
        dropped = kind is FaultKind.DROPPED
        assert carried_out == ({True, False} if dropped else {kind not in NOT_CARRIED_OUT})


@pytest.mark.parametrize(
    "plan", [{"seed": -1}, {"seed": 2**63}, {"rate": 1.5}, {"rate": -0.1}, {"rate": float("nan")}, {"most": -1}]
)
def test_a_plan_that_is_none_is_refused(plan):
    with pytest.raises(InvalidInput):
        FaultPlan(**{"seed": 1, **plan})


def test_kinds_are_asked_for_by_name():
    assert kinds_of([]) == frozenset(FaultKind)
    assert kinds_of(["html", "dropped"]) == {FaultKind.HTML, FaultKind.DROPPED}
    with pytest.raises(InvalidInput, match="there is no fault called 'gremlins': there are latency, "):
        kinds_of(["html", "gremlins"])


def test_whoever_has_a_key_may_have_a_rate_of_their_own():
    plan = FaultPlan(1, 0.0, account_rate=1.0)
    assert all(plan.next("/api/v2/status", "a") for _ in range(20))
    assert not any(plan.next("/pubapi/v2/latest", "") for _ in range(20))
    with pytest.raises(InvalidInput):
        FaultPlan(1, account_rate=2.0)
