"""The numbers of calls against the kernel's own headers, where these are installed."""

import re
from pathlib import Path

import pytest

from omc.adapters.sandbox_process import system_calls
from omc.adapters.sandbox_process.system_calls import Machine

HEADERS: dict[Machine, Path] = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
TABLES = {
    "allowed": system_calls.ALLOWED,
    "checked": system_calls.CHECKED,
    "files": system_calls.FILES,
    "hostile": system_calls.HOSTILE,
    "new": system_calls.NEW,
}
# The generic table has them by the width of their numbers.
WIDE = {"newfstatat": "fstatat"}


def header(machine: Machine) -> dict[str, int]:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"^#define\s+__NR(?:3264)?_(\w+)\s+(\d+)\b", HEADERS[machine].read_text(), re.MULTILINE)
    return {name: int(number) for name, number in found}


@pytest.mark.parametrize("machine", HEADERS)
def test_every_number_is_the_kernels(machine: Machine) -> None:
    known = header(machine)
    newest = max(known.values())
    for table in TABLES.values():
        for name, numbers in table.items():
            listed = known.get(name, known.get(WIDE.get(name, name)))
            if listed is not None or numbers.get(machine, newest + 1) <= newest:
                assert numbers.get(machine) == listed, name


@pytest.mark.parametrize("machine", HEADERS)
def test_no_call_stands_in_two_tables(machine: Machine) -> None:
    numbers = [each[machine] for table in TABLES.values() for each in table.values() if machine in each]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("table", TABLES)
def test_a_call_that_one_processor_lacks_has_another_there(table: str) -> None:
    # Older calls of x86-64 that aarch64 never had.
    assert all("x86_64" in numbers for numbers in TABLES[table].values())
