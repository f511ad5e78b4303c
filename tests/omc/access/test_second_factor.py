"""Codes are those of RFC 6238, hold for a minute and a half, and are bounded when they are guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.second_factor import (
    FREE_TRIES,
    RECOVERY_CODES,
    STEP_S,
    code_of,
    enrollment_uri,
    new_recovery_codes,
    new_secret,
    recovery_digest,
    secret_bytes,
    step_of,
    steps_of,
    wait_after,
)

SECRET = b"12345678901234567890"
MOMENTS = st.integers(1_600_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


# Appendix B, the rows of SHA-1.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str):
    step = step_of(datetime.fromtimestamp(seconds, UTC))
    assert code_of(SECRET, step, digits=8) == code
    assert code_of(SECRET, step) == code[2:]


@given(MOMENTS, st.integers(-1, 1), st.binary(min_size=20, max_size=20))
def test_a_clock_may_be_a_step_off_in_either_direction(now: datetime, off: int, secret: bytes):
    assert step_of(now) + off in steps_of(secret, code_of(secret, step_of(now) + off), now)


@given(MOMENTS, st.integers(2, 10_000).flatmap(lambda far: st.sampled_from([far, -far])))
def test_a_code_from_further_away_is_taken_for_no_step_of_its_own(now: datetime, off: int):
    assert step_of(now) + off not in steps_of(SECRET, code_of(SECRET, step_of(now) + off), now)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", " 123456", "123456\n"])
def test_what_is_no_code_is_wrong(code: str):
    assert steps_of(SECRET, code, datetime(2025, 1, 1, tzinfo=UTC)) == []


def test_guessing_gets_slower_and_never_impossible():
    waits = [wait_after(tries) for tries in range(60)]
    assert waits[:FREE_TRIES] == [None] * FREE_TRIES
    asked = [wait for wait in waits if wait]
    assert asked == sorted(asked)
    assert (asked[0], asked[1], asked[-1]) == (timedelta(seconds=STEP_S), timedelta(minutes=1), timedelta(hours=1))


def test_a_device_reads_the_secret_and_whose_it_is():
    secret = new_secret()
    assert len(secret_bytes(secret)) == 20
    uri = enrollment_uri(secret, "ada+omc@example.com")
    assert uri == f"otpauth://totp/Oh%20My%20Coins%3Aada%2Bomc%40example.com?secret={secret}&issuer=Oh%20My%20Coins"


def test_recovery_codes_are_many_and_are_known_however_they_are_typed():
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert recovery_digest(codes[0]) == recovery_digest(codes[0].replace("-", " ").upper() + " ")
    assert len({recovery_digest(code) for code in codes}) == RECOVERY_CODES
