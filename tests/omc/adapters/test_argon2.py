"""Argon2id as passwords are kept."""

from omc.adapters.argon2 import Argon2Hasher

QUICK = Argon2Hasher(memory_kib=64, passes=1)


def test_only_the_password_itself_matches_its_hash():
    hashed = QUICK.hash("correct horse battery")
    assert hashed.startswith("$argon2id$")
    assert QUICK.matches("correct horse battery", hashed)
    assert not QUICK.matches("correct horse batterz", hashed)


def test_what_is_no_hash_matches_nothing_and_is_outdated():
    assert not QUICK.matches("correct horse battery", "plain text")
    assert QUICK.outdated("plain text")


def test_a_hash_made_with_weaker_parameters_still_matches_and_is_outdated():
    hashed = QUICK.hash("correct horse battery")
    assert not QUICK.outdated(hashed)
    stronger = Argon2Hasher(memory_kib=128, passes=1)
    assert stronger.matches("correct horse battery", hashed)
    assert stronger.outdated(hashed)


def test_a_password_may_hold_any_character():
    hashed = QUICK.hash("pässwörd \N{DRAGON} with spaces")
    assert QUICK.matches("pässwörd \N{DRAGON} with spaces", hashed)
