"""What an operator may set."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from omc.settings import Settings


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("OMC_PORT", "8123")
    monkeypatch.setenv("OMC_MARKET_COINS", "btc,ETH")
    monkeypatch.setenv("OMC_TAPE", "/a.csv:/b.feather")
    monkeypatch.setenv("OMC_MIN_ORDER_AUD", "12.50")
    settings = Settings()
    assert settings.port == 8123
    assert settings.market_coins == {"BTC", "ETH"}
    assert [str(path) for path in settings.tape] == ["/a.csv", "/b.feather"]
    assert settings.min_order_aud == Decimal("12.50")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quota_cpu_s", 0),
        ("quota_backtests", 0),
        ("quota_code_bytes", 10**6),
        ("port", -1),
        ("port", 70_000),
        ("poll_s", 0),
        ("tape_days", 0),
        ("min_order_aud", "0"),
        ("speed", 0),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValidationError, match=name):
        Settings(**{name: value})


def test_a_databases_password_is_not_shown():
    settings = Settings(database_url="postgresql://omc:hunter2@db/omc")
    assert "hunter2" not in repr(settings)
    with pytest.raises(ValidationError) as caught:
        Settings(database_url=["postgresql://omc:hunter2@db/omc"])
    assert "hunter2" not in str(caught.value)


def test_a_tape_and_an_external_exchange_exclude_each_other():
    with pytest.raises(ValidationError, match="cannot go with an external exchange"):
        Settings(tape="/a.csv", external_exchange="http://127.0.0.1:9")
    with pytest.raises(ValidationError, match="only the sandbox exchange misbehaves by a seed"):
        Settings(faults=0, external_exchange="http://127.0.0.1:9")


def test_a_token_file_is_there_and_belongs_to_an_exchange(tmp_path):
    with pytest.raises(ValidationError, match="external_token_file"):
        Settings(external_exchange="http://127.0.0.1:9", external_token_file=tmp_path / "none")
    (tmp_path / "token").write_text("0" * 64)
    with pytest.raises(ValidationError, match="without the external exchange"):
        Settings(external_token_file=tmp_path / "token")


def test_two_that_listen_need_two_ports():
    with pytest.raises(ValidationError, match="a port each"):
        Settings(port=8100, dashboard_port=8100)
    assert Settings(port=0, dashboard_port=0).sandbox_port == 0


def test_the_widest_limits_are_given_whole_or_not_at_all():
    with pytest.raises(ValidationError, match="go together"):
        Settings(most_daily_loss_aud="100")
