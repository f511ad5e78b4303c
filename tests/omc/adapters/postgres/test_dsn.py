"""Addresses: every spelling of one is understood, and none shows its password."""

import stat
from pathlib import Path

import pytest

from omc.adapters.postgres import dsn
from omc.errors import InvalidInput, Unavailable


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgresql+asyncpg://u:p@h/d?ssl=require", "postgresql://u:p@h/d?sslmode=require"),
        ("  postgresql://u:p@/d?host=/run/x&port=1\n", "postgresql://u:p@/d?host=%2Frun%2Fx&port=1"),
        ("postgresql:///d?host=/run/x", "postgresql:///d?host=%2Frun%2Fx"),
        ("postgresql://u:p%40ss@[::1]:1/d", "postgresql://u:p%40ss@[::1]:1/d"),
    ],
)
def test_every_usual_spelling_is_understood(given: str, understood: str):
    assert dsn.normalized(given) == understood
    assert dsn.normalized(understood) == understood


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "secret",
        "mysql://u:secret@h/d",
        "postgresql://u:secret@h",
        "postgresql://u:secret@h:x/d",
        "postgresql://u:my@secret@h/d",
        "postgresql://u:100%secret@h/d",
        "postgresql://u:my secret@h/d",
        "postgresql://u:my/secret@h/d",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(wrong: str):
    with pytest.raises(InvalidInput) as refused:
        dsn.normalized(wrong)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("address", ["postgresql://u:secret@h/d", "postgresql://u@h/d?password=secret&port=1"])
def test_a_person_never_sees_the_password(address: str):
    shown = dsn.shown(address)
    assert "secret" not in shown
    assert "u" in shown
    assert "***" in shown


def test_an_address_is_kept_for_its_owner_alone(tmp_path: Path):
    file = tmp_path / "run" / "database.dsn"
    assert dsn.write(file, "postgres://u:p@h/d") == "postgresql://u:p@h/d"
    assert dsn.read(file) == "postgresql://u:p@h/d"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["database.dsn"]
    with pytest.raises(Unavailable):
        dsn.read(tmp_path / "nothing")
