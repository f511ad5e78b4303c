import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.sandbox_process.limits import MEBIBYTE, Limits
from omc.errors import InvalidInput


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
