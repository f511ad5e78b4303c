"""Keys that only their owner can read."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omc.adapters.key_file import add_key, ensure_key, read_keys
from omc.errors import OmcError


def test_a_new_key_is_random_private_and_kept(tmp_path: Path):
    path = tmp_path / "run" / "token.key"
    ensure_key(path)
    (key,) = read_keys(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ensure_key(path)
    assert read_keys(path) == (key,)
    assert [each.name for each in path.parent.iterdir()] == ["token.key"]


def test_two_that_make_it_at_once_agree_on_one_key(tmp_path: Path):
    path = tmp_path / "token.key"

    def made(_: int) -> tuple[bytes, ...]:
        ensure_key(path)
        return read_keys(path)

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(made, range(32)))) == 1


@pytest.mark.parametrize(
    ("text", "mode"),
    [("ab" * 32, 0o644), ("ab" * 31, 0o600), ("", 0o600), ("not hexadecimal at all", 0o600)],
    ids=["open to others", "short", "empty", "not hexadecimal"],
)
def test_a_key_that_protects_nothing_is_refused_without_showing_it(tmp_path: Path, text: str, mode: int):
    path = tmp_path / "token.key"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(OmcError) as fault:
        read_keys(path)
    assert str(path) in str(fault.value)
    assert "abab" not in str(fault.value)


def test_a_missing_key_file_is_named(tmp_path: Path):
    with pytest.raises(OmcError, match="gone"):
        read_keys(tmp_path / "gone")


def test_a_new_key_is_put_above_the_others_and_the_file_stays_its_owners(tmp_path):
    file = tmp_path / "a.key"
    ensure_key(file)
    (first,) = read_keys(file)
    add_key(file)
    added, *rest = read_keys(file)
    assert rest == [first]
    assert added != first
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_no_key_is_put_where_others_can_read_it(tmp_path):
    file = tmp_path / "a.key"
    ensure_key(file)
    before = file.read_text()
    file.chmod(0o644)
    with pytest.raises(OmcError, match="0600"):
        add_key(file)
    assert file.read_text() == before
