"""Claims hold in their own time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from omc.access.signer import ACCESS_LIFE, CLOCK_SKEW, Claims, MemoryTokenSigner
from omc.errors import Unauthenticated

NOW = datetime(2025, 6, 1, tzinfo=UTC)
CLAIMS = Claims(uuid4(), uuid4(), NOW, NOW + ACCESS_LIFE)


@pytest.mark.parametrize("after", [-CLOCK_SKEW, timedelta(0), ACCESS_LIFE - timedelta(seconds=1)])
def test_a_token_holds_in_its_time_and_a_little_before(after: timedelta):
    signer = MemoryTokenSigner()
    assert signer.verify(signer.sign(CLAIMS), NOW + after) == CLAIMS


@pytest.mark.parametrize("after", [-CLOCK_SKEW - timedelta(seconds=1), ACCESS_LIFE, timedelta(days=1)])
def test_a_token_out_of_its_time_does_not_hold(after: timedelta):
    signer = MemoryTokenSigner()
    with pytest.raises(Unauthenticated):
        signer.verify(signer.sign(CLAIMS), NOW + after)


def test_a_token_that_nobody_signed_does_not_hold():
    with pytest.raises(Unauthenticated):
        MemoryTokenSigner().verify("token-of-somebody", NOW)
