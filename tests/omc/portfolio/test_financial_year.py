from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from omc.errors import InvalidInput
from omc.portfolio.financial_year import FinancialYear

SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize("name", ["2025-26", "2025-2026"])
def test_it_runs_from_july_to_june_where_its_owner_lives(name) -> None:
    year = FinancialYear.named(name)
    assert str(year) == "2025-26"
    assert year.start(SYDNEY) == datetime(2025, 6, 30, 14, tzinfo=UTC)
    assert year.end(SYDNEY) == datetime(2026, 6, 30, 14, tzinfo=UTC)


@pytest.mark.parametrize("name", ["2025", "2025-27", "25-26", "2025-26 ", "2025/26", "2099-00x", ""])
def test_what_names_no_year_is_refused(name) -> None:
    with pytest.raises(InvalidInput):
        FinancialYear.named(name)


def test_an_instant_lies_in_the_year_of_its_own_calendar() -> None:
    eve = datetime(2026, 6, 30, 13, 59, tzinfo=UTC)
    assert str(FinancialYear.of(eve, SYDNEY)) == "2025-26"
    assert str(FinancialYear.of(eve.replace(hour=14), SYDNEY)) == "2026-27"
    assert str(FinancialYear.named("2099-00")) == "2099-00"
