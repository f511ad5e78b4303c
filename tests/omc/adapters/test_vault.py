"""What is sealed opens with its key and at its place, and in no other way."""

import base64
import pickle

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from omc.access.vault import MemoryVault, Vault, is_legacy, key_id
from omc.adapters.key_file import add_key, ensure_key
from omc.adapters.vault import FileVault
from omc.errors import OmcError, SealBroken, VaultKeyLost

PLACE = b"coinspot_credentials|1|2|api_secret"
SECRET = "d0-not-t3ll-anyb0dy"


def made(folder, name="vault.key") -> FileVault:
    ensure_key(folder / name)
    return FileVault(folder / name)


@pytest.fixture(params=["memory", "file"])
def vault(request, tmp_path) -> Vault:
    return MemoryVault() if request.param == "memory" else made(tmp_path)


def test_what_was_sealed_opens_again(vault):
    sealed = vault.seal(SECRET, PLACE)
    assert SECRET not in sealed
    assert vault.open(sealed, PLACE) == SECRET


def test_the_same_secret_is_never_sealed_alike(vault):
    assert vault.seal(SECRET, PLACE) != vault.seal(SECRET, PLACE)


def test_another_place_opens_nothing(vault):
    sealed = vault.seal(SECRET, PLACE)
    for place in (b"", PLACE + b"x", PLACE.replace(b"api_secret", b"api_key"), PLACE.replace(b"|2|", b"|3|")):
        with pytest.raises(SealBroken) as raised:
            vault.open(sealed, place)
        assert SECRET not in str(raised.value)


@given(secret=st.text(max_size=200), place=st.binary(max_size=100))
def test_any_text_survives(tmp_path_factory, secret, place):
    vault = made(tmp_path_factory.getbasetemp(), "any.key")
    assert vault.open(vault.seal(secret, place), place) == secret


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(tmp_path_factory, at, bit):
    vault = made(tmp_path_factory.getbasetemp(), "bit.key")
    head, encoded = vault.seal(SECRET, PLACE).rsplit(".", 1)
    whole = bytearray(base64.b64decode(encoded))
    whole[at % len(whole)] ^= 1 << bit
    with pytest.raises(SealBroken):
        vault.open(f"{head}.{base64.b64encode(whole).decode()}", PLACE)


@given(rubbish=st.text(max_size=100))
def test_rubbish_is_refused_by_name(tmp_path_factory, rubbish):
    vault = made(tmp_path_factory.getbasetemp(), "rubbish.key")
    own = vault.seal("", b"").split(".")[1]
    for sealed in (rubbish, f"v1.{rubbish}", f"v1.{own}.{rubbish}", f"v2.{own}.AAAA"):
        with pytest.raises((SealBroken, VaultKeyLost)):
            vault.open(sealed, PLACE)


def test_a_key_that_is_gone_is_named_and_what_it_sealed_is_not(tmp_path):
    sealed = made(tmp_path).seal(SECRET, PLACE)
    other = made(tmp_path, "other.key")
    with pytest.raises(VaultKeyLost, match=sealed.split(".")[1]) as raised:
        other.open(sealed, PLACE)
    assert sealed not in str(raised.value)


def test_the_newest_key_seals_and_the_older_ones_still_open(tmp_path):
    old = made(tmp_path)
    sealed = old.seal(SECRET, PLACE)
    new = made(tmp_path, "new.key")
    both = tmp_path / "both.key"
    both.touch(0o600)
    both.write_text(new.key_file.read_text() + old.key_file.read_text())
    vault = FileVault(both)
    assert vault.open(sealed, PLACE) == SECRET
    assert vault.key_ids == old.key_ids | new.key_ids
    assert {key_id(vault.seal(SECRET, PLACE))} == new.key_ids
    assert new.open(vault.seal(SECRET, PLACE), PLACE) == SECRET


def test_a_key_of_another_length_is_refused_without_being_shown(tmp_path):
    file = tmp_path / "long.key"
    file.touch(0o600)
    file.write_text("ab" * 48)
    with pytest.raises(OmcError, match="32 bytes") as raised:
        FileVault(file).seal(SECRET, PLACE)
    assert "abab" not in str(raised.value)


def test_what_an_earlier_platform_kept_as_fernet_is_read_under_any_of_the_keys(tmp_path):
    old, new = made(tmp_path), made(tmp_path, "new.key")
    token = Fernet(base64.urlsafe_b64encode(bytes.fromhex(old.key_file.read_text()))).encrypt(SECRET.encode()).decode()
    both = tmp_path / "both.key"
    both.touch(0o600)
    both.write_text(new.key_file.read_text() + old.key_file.read_text())
    assert FileVault(both).open(token, PLACE) == SECRET
    assert is_legacy(token)
    assert key_id(token) == ""
    for vault, wrong in ((new, token), (old, token[:-8] + "AAAAAAA=")):
        with pytest.raises(VaultKeyLost) as raised:
            vault.open(wrong, PLACE)
        assert token not in str(raised.value)
    assert not is_legacy(old.seal(SECRET, PLACE))


def test_a_key_that_is_put_on_top_seals_and_opens_at_once_wherever_the_file_is_read(tmp_path):
    desk, gateway = made(tmp_path), FileVault(tmp_path / "vault.key")
    older = desk.seal(SECRET, PLACE)
    assert desk.open(older, PLACE) == SECRET
    add_key(tmp_path / "vault.key")
    newer = gateway.seal(SECRET, PLACE)
    assert key_id(newer) == gateway.newest() == desk.newest() != key_id(older)
    assert desk.open(newer, PLACE) == desk.open(older, PLACE) == SECRET
    assert key_id(desk.seal(SECRET, PLACE)) == key_id(newer)


def test_what_was_read_opens_while_the_file_is_away_and_nothing_is_sealed_then(tmp_path):
    vault = made(tmp_path)
    sealed = vault.seal(SECRET, PLACE)
    (tmp_path / "vault.key").rename(tmp_path / "away")
    assert vault.open(sealed, PLACE) == SECRET
    with pytest.raises(OmcError, match="cannot be read"):
        vault.seal(SECRET, PLACE)


def test_a_vault_travels_without_its_keys(tmp_path):
    vault = made(tmp_path)
    sealed = vault.seal(SECRET, PLACE)
    key = vault.key_file.read_text().strip()
    travelling = pickle.dumps(vault)
    assert key.encode() not in travelling
    assert bytes.fromhex(key) not in travelling
    assert key not in repr(vault)
    assert pickle.loads(travelling).open(sealed, PLACE) == SECRET
