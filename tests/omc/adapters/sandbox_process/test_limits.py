import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.sandbox_process.limits import MEBIBYTE, Limits, Together, free_bytes
from omc.errors import InvalidInput, Unavailable


@pytest.mark.parametrize(
    "limits",
    [{"memory_bytes": MEBIBYTE - 1}, {"stack_bytes": 0}, {"cpu_s": 0}, {"descriptors": 4}],
    ids=lambda each: next(iter(each)),
)
def test_limits_that_nothing_could_run_in_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="a sandbox needs"):
        Limits(**limits)


@given(cpu_s=st.one_of(st.none(), st.integers(1, 10**6)), memory_bytes=st.integers(MEBIBYTE, 2**40))
def test_limits_that_are_enough_are_kept(cpu_s: int | None, memory_bytes: int) -> None:
    limits = Limits(cpu_s=cpu_s, memory_bytes=memory_bytes)
    assert (limits.cpu_s, limits.memory_bytes) == (cpu_s, memory_bytes)


@given(most=st.integers(1, 300), most_each=st.integers(1, 300), running=st.integers(0, 300), owned=st.integers(0, 300))
def test_one_more_may_run_until_there_are_as_many_as_may(most: int, most_each: int, running: int, owned: int) -> None:
    together = Together(most, most_each, free_bytes=0)
    if running < most and owned < most_each:
        together.check(running, owned)
    else:
        with pytest.raises(Unavailable, match="sandboxes run already"):
            together.check(running, owned)


def test_none_is_started_on_a_machine_that_has_no_memory_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omc.adapters.sandbox_process.limits.free_bytes", lambda: 100 * MEBIBYTE)
    with pytest.raises(Unavailable, match="this machine has 100 MB of memory left: another sandbox needs 512 MB"):
        Together().check(0, 0)
    monkeypatch.setattr("omc.adapters.sandbox_process.limits.free_bytes", lambda: None)
    Together().check(0, 0)


def test_a_machine_says_what_memory_it_has_left() -> None:
    found = free_bytes()
    assert found is None or found > 0


def test_a_hundred_traders_fit_into_what_may_run_by_default() -> None:
    Together(free_bytes=0).check(100, 100)


@pytest.mark.parametrize("together", [{"most": 0}, {"most_each": 0}, {"free_bytes": -1}])
def test_that_none_may_run_is_refused(together: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="at least one sandbox"):
        Together(**together)
