import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from omc.adapters.coinspot.wire import balances_of, board_of, fills_of, open_orders_of, rows_shown
from omc.errors import Unavailable
from omc.market.terms import OrderKind
from omc.trading.fill import Side

NOW = datetime(2025, 1, 1, tzinfo=UTC)
GOOD = {"bid": "1", "ask": "2", "last": "3"}


def board(**prices):
    return board_of({"status": "ok", "prices": prices}, NOW)


def test_quotes_come_as_text_or_as_numbers():
    payload = json.loads(
        '{"prices":{"btc":{"bid":"52732.47000022","ask":53268.0699976,"last":53284}}}', parse_float=Decimal
    )
    quote = board_of(payload, NOW).quotes["BTC"]
    assert (quote.bid_aud, quote.ask_aud, quote.last_aud) == (
        Decimal("52732.47000022"),
        Decimal("53268.0699976"),
        Decimal(53284),
    )


@pytest.mark.parametrize(
    "sides",
    [
        {"bid": "NaN", "ask": "NaN", "last": "NaN"},
        {"bid": "1", "ask": "2"},
        {"bid": "1", "ask": None, "last": "1"},
        {"bid": "3", "ask": "2", "last": "2"},
        {"bid": "-1", "ask": "2", "last": "2"},
        {"bid": "0", "ask": "2", "last": "2"},
        {"bid": "1", "ask": "Infinity", "last": "2"},
        {"bid": "1", "ask": "1e99", "last": "2"},
        {"bid": "1", "ask": "99000000", "last": "2"},
        {"bid": "0.000000001", "ask": "2", "last": "2"},
        {"bid": True, "ask": "2", "last": "2"},
        {"bid": "", "ask": "2", "last": "2"},
        {"bid": [1], "ask": "2", "last": "2"},
        {"bid": float("nan"), "ask": "2", "last": "2"},
        None,
        "1",
        [],
    ],
)
def test_an_unusable_quote_is_left_out_with_a_sentence(sides):
    result = board(btc=GOOD, bad=sides)
    assert list(result.quotes) == ["BTC"]
    (fault,) = result.faults
    assert fault.startswith("BAD: ")
    assert "\n" not in fault


def test_other_markets_are_not_ours_and_odd_names_are_said():
    result = board_of({"prices": {"btc": GOOD, "btc_usdt": {"bid": 1}, "$": GOOD, "BTC": GOOD}}, NOW)
    assert list(result.quotes) == ["BTC"]
    assert len(result.faults) == 2


@pytest.mark.parametrize("payload", [{}, {"prices": []}, {"prices": {}}, {"prices": {"btc": None}}, {"prices": "NaN"}])
def test_an_answer_without_a_usable_quote_is_no_board(payload):
    with pytest.raises(Unavailable):
        board_of(payload, NOW)


def row(**changes):
    fields = {
        "id": "abc",
        "coin": "BTC",
        "type": "instant",
        "market": "BTC/AUD",
        "amount": Decimal("386.95197925"),
        "solddate": "2022-10-20T09:56:44.502Z",
        "audfeeExGst": Decimal("1.80018002"),
        "audGst": Decimal("0.180018"),
        "audtotal": 200,
    }
    return {**fields, **changes}


def test_a_recorded_fill_is_read_to_the_last_digit():
    (listed,) = fills_of({"buyorders": [row()], "sellorders": []})
    fill = listed.fill
    assert (listed.kind, listed.venue_order_id, fill.side) == (OrderKind.INSTANT, "abc", Side.BUY)
    assert (fill.quantity, fill.total_aud, fill.fee_aud) == (Decimal("386.95197925"), 200, Decimal("1.98019802"))
    assert fill.executed_at == datetime(2022, 10, 20, 9, 56, 44, 502000, UTC)


def ids(*rows):
    return [each.fill.fill_id for each in fills_of({"sellorders": list(rows)})]


def test_fill_ids_are_unique_and_do_not_depend_on_the_list_they_stand_in():
    dearer = row(amount=Decimal(1), audtotal=Decimal(201))
    parts = [row(amount=Decimal(1)), row(amount=Decimal(2)), dearer, row(id="other")]
    assert len(set(ids(*parts))) == 4
    assert dict(zip(ids(*parts), parts, strict=True)) == dict(zip(ids(*parts[::-1]), parts[::-1], strict=True))
    assert set(ids(*parts)) == set(ids(*reversed(parts)))
    assert ids(parts[1]) == [ids(*parts)[1]]
    assert ids(row(amount="1.50")) == ids(row(amount=Decimal("1.5")))


def test_a_fill_keeps_its_id_when_one_that_is_nearly_alike_is_listed_later():
    dearer, cheaper = row(audtotal=Decimal("10.02")), row(audtotal=Decimal("10.01"))
    (alone,) = ids(dearer)
    assert dict(zip(ids(dearer, cheaper), ("10.02", "10.01"), strict=True))[alone] == "10.02"
    other_fee = {**dearer, "audGst": Decimal("0.5")}
    assert len(set(ids(dearer, other_fee, cheaper))) == 3


def test_a_row_that_is_listed_twice_is_one_fill():
    parts = [row(amount=Decimal(1)), row(amount=Decimal(2))]
    assert ids(*parts, *reversed(parts), parts[0]) == ids(*parts)
    old = {name: value for name, value in row().items() if name != "id"}
    assert ids(old, old) == ids(old)
    assert len(ids(old, {**old, "audtotal": Decimal(199)})) == 2


def test_old_answers_without_id_or_type_are_read():
    old = row()
    del old["id"], old["type"]
    (listed,) = fills_of({"buyorders": [old]})
    assert (listed.kind, listed.venue_order_id) == (None, None)
    assert listed.fill.fill_id


@pytest.mark.parametrize("changes", [{"market": "BTC/ETH"}, {"type": "deposit"}, {"type": "take profit"}])
def test_what_moved_no_cash_of_ours_is_left_aside(changes):
    assert fills_of({"buyorders": [row(**changes)]}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": "NaN"},
        {"amount": 0},
        {"audtotal": "lots"},
        {"audtotal": -1},
        {"audGst": None},
        {"solddate": "soon"},
        {"solddate": None},
        {"coin": None},
    ],
)
def test_a_fill_that_cannot_be_read_is_not_lost_silently(changes):
    with pytest.raises(Unavailable):
        fills_of({"buyorders": [row(**changes)]})


@pytest.mark.parametrize("payload", [{"buyorders": None}, {"buyorders": [1]}, {"sellorders": "none"}])
def test_a_list_that_is_none_is_not_an_empty_one(payload):
    with pytest.raises(Unavailable):
        fills_of(payload)
    with pytest.raises(Unavailable):
        open_orders_of(payload)


def test_open_orders_are_read_by_side():
    order = {"id": 7, "coin": "btc", "market": "BTC/AUD", "amount": "1.5", "rate": 100}
    usdt = {**order, "market": "BTC/USDT"}
    (listed,) = open_orders_of({"buyorders": [usdt], "sellorders": [order]})
    assert (listed.venue_order_id, listed.coin, listed.side) == ("7", "BTC", Side.SELL)
    assert (listed.quantity, listed.price_aud) == (Decimal("1.5"), 100)


@pytest.mark.parametrize(
    "payload",
    [
        {"balances": [{"AUD": {"balance": Decimal("1000.11"), "rate": 1}}, {"BTC": {"balance": "0.5"}}]},
        {"balances": {"AUD": {"balance": Decimal("1000.11")}, "BTC": {"balance": Decimal("0.5")}}},
        {"balance": {"aud": Decimal("1000.11"), "btc": Decimal("0.5")}},
    ],
)
def test_balances_come_in_three_shapes(payload):
    assert balances_of(payload) == {"AUD": Decimal("1000.11"), "BTC": Decimal("0.5")}


@pytest.mark.parametrize("payload", [{}, {"balances": [7]}, {"balances": [{"AUD": {}}]}, {"balances": None}])
def test_balances_that_cannot_be_read_are_not_nothing(payload):
    with pytest.raises(Unavailable):
        balances_of(payload)


def test_the_longer_list_counts():
    assert rows_shown({"buyorders": [{}, {}], "sellorders": [{}]}) == 2
