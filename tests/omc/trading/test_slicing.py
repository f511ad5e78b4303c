import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import SATOSHI, ZERO
from omc.trading.execution import Execution, Style
from omc.trading.slicing import Plan, Slice, caught_up, plan, profile, slice_name

AT = datetime(2025, 1, 1, 12, tzinfo=UTC)
MINIMUM = Decimal("1.00")
TWAP = Execution(slice_above_aud=Decimal(100), slices=4, over_s=400.0)
VWAP = Execution(slice_above_aud=Decimal(100), slices=4, over_s=400.0, style=Style.VWAP)


def sliced(quantity: str, execution: Execution = TWAP, price: str = "100", **how: object) -> Plan | None:
    return plan(Decimal(quantity), Decimal(price), AT, execution, min_order_aud=MINIMUM, **how)  # type: ignore[arg-type]


def test_an_order_up_to_the_size_goes_whole() -> None:
    assert sliced("1") is None
    assert sliced("1.00000001") is not None
    assert sliced("1000", Execution()) is None


def test_slices_are_alike_and_equally_far_apart() -> None:
    made = sliced("10")
    assert made is not None
    assert [part.quantity for part in made.slices] == [Decimal("2.5")] * 4
    assert [part.at - AT for part in made.slices] == [timedelta(seconds=100 * number) for number in range(4)]
    assert made.until - AT == timedelta(seconds=500)
    assert (made.style, made.note) == (Style.TWAP, "")


def test_what_does_not_divide_is_not_lost() -> None:
    made = sliced("10.00000003")
    assert made is not None
    assert sorted(part.quantity for part in made.slices) == [
        Decimal("2.50000000"), Decimal("2.50000001"), Decimal("2.50000001"), Decimal("2.50000001"),
    ]  # fmt: skip


def test_volumes_share_an_order_out() -> None:
    weights = tuple(Fraction(part, 10) for part in (1, 2, 3, 4))
    made = sliced("10", VWAP, weights=weights)
    assert made is not None
    assert made.style is Style.VWAP
    assert [part.quantity for part in made.slices] == [Decimal(1), Decimal(2), Decimal(3), Decimal(4)]


def test_without_volumes_it_is_spread_evenly_and_says_so() -> None:
    made = sliced("10", VWAP)
    assert made is not None
    assert (made.style, made.note) == (Style.TWAP, "no volumes are known: spread evenly over time")


def test_a_slice_that_the_venue_would_not_take_goes_with_the_next() -> None:
    small = Execution(slice_above_aud=Decimal(2), slices=4, over_s=400.0)
    made = sliced("0.03", small)
    assert made is not None
    assert [(part.quantity, part.at - AT) for part in made.slices] == [
        (Decimal("0.015"), timedelta(0)),
        (Decimal("0.015"), timedelta(seconds=200)),
    ]
    # Too little for two: it goes whole.
    assert sliced("0.0201", Execution(slice_above_aud=Decimal(1), slices=4)) is None


quantities = st.integers(1, 10**15).map(lambda units: units * SATOSHI)
prices = st.integers(1, 10**15).map(lambda units: units * SATOSHI)
executions = st.builds(
    Execution,
    slice_above_aud=st.integers(1, 10**6).map(Decimal),
    slices=st.integers(2, 100),
    over_s=st.floats(0, 86_400),
    style=st.sampled_from(Style),
)


@given(quantities, prices, executions, st.lists(st.integers(0, 1000), min_size=100, max_size=100))
def test_slices_add_up_on_the_grid_in_order_and_none_is_too_small(
    quantity: Decimal, price: Decimal, execution: Execution, volumes: list[int]
) -> None:
    shares = volumes[: execution.slices]
    weights = tuple(Fraction(share, sum(shares)) for share in shares) if sum(shares) else None
    made = plan(quantity, price, AT, execution, min_order_aud=MINIMUM, weights=weights)
    if made is None:
        return
    parts = [part.quantity for part in made.slices]
    assert sum(parts) == quantity
    assert 2 <= len(parts) <= execution.slices
    assert all(part == part.quantize(SATOSHI) and part * price >= MINIMUM for part in parts)
    times = [part.at for part in made.slices]
    assert times == sorted(times)
    assert AT <= times[0] <= times[-1] <= made.until
    assert Plan.told(json.loads(json.dumps(made.as_json()))) == made


def test_a_profile_is_of_the_same_times_of_day() -> None:
    stretches = [(AT - timedelta(days=day) + timedelta(minutes=minute), Decimal(volume)) for day, minute, volume in (
        (1, 0, "1"), (2, 0, "1"), (1, 5, "3"), (3, 10, "5"), (1, 20, "100"), (1, -5, "100"),
    )]  # fmt: skip
    assert profile(stretches, AT, 1200.0, 4) == (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2), Fraction(0))


def test_a_stretch_is_spread_evenly_over_its_time() -> None:
    day = AT - timedelta(days=1)
    half_before = [(day - timedelta(seconds=150), Decimal(2)), (day + timedelta(seconds=150), Decimal(6))]
    # The second half of the first lies in the first part; the second in the second, and half of it beyond the end.
    assert profile(half_before, AT, 300.0, 2) == (Fraction(1, 4), Fraction(3, 4))
    # Parts that are shorter than a stretch are alike within it.
    assert profile([(day, Decimal(5))], AT, 60.0, 5) == (Fraction(1, 5),) * 5


stretches = st.lists(
    st.tuples(st.integers(-5000, -1), st.integers(0, 10**6)).map(
        lambda each: (AT + each[0] * timedelta(minutes=5), Decimal(each[1]))
    ),
    max_size=20,
)


@given(stretches, st.floats(1.0, 86_400.0), st.integers(2, 12))
def test_the_shares_add_up_to_one(known, over_s, slices) -> None:
    shares = profile(known, AT, over_s, slices)
    if shares is not None:
        assert sum(shares) == 1
        assert min(shares) >= 0


def test_the_future_is_no_profile() -> None:
    assert profile([(AT, Decimal(5))], AT, 400.0, 4) is None
    assert profile([(AT - timedelta(minutes=4), Decimal(5))], AT, 400.0, 4) is None
    assert profile([], AT, 400.0, 4) is None
    assert profile([(AT - timedelta(days=1), Decimal(5))], AT, 0.0, 4) is None


def test_a_slice_has_its_name_from_its_order() -> None:
    assert slice_name("id", 3) == "id:s3"


@given(
    quantities=st.lists(st.integers(1, 10**12), min_size=1, max_size=12),
    missed=st.lists(st.integers(0, 100), min_size=12, max_size=12),
)
def test_what_slices_do_not_give_the_others_make_up_for(quantities: list[int], missed: list[int]) -> None:
    """Each carries what was planned at least; with nothing missed, that exactly; and never more than is left."""
    slices = [Slice(AT, each * SATOSHI) for each in quantities]
    whole = left = sum((each.quantity for each in slices), ZERO)
    for number, part in enumerate(slices):
        quantity = caught_up(slices[number:], left)
        assert part.quantity <= quantity <= left
        assert quantity % SATOSHI == 0
        if not any(missed[:number]):
            assert quantity == part.quantity
        left -= (quantity * (100 - missed[number]) / 100).quantize(SATOSHI)
    assert 0 <= left <= whole
    assert caught_up(slices[-1:], whole) == whole
