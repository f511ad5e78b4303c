import numpy as np
import pytest

from omc.errors import InvalidInput
from omc.market.spread import to_grid
from omc.market.synthetic import CHARACTERS, synthetic_tape


def test_one_seed_is_one_market():
    first, again, other = synthetic_tape(7, 10), synthetic_tape(7, 10), synthetic_tape(8, 10)
    assert (first.frame.last == again.frame.last).all()
    assert (first.frame.bid == again.frame.bid).all()
    assert (first.frame.last != other.frame.last).any()


def test_a_coins_prices_do_not_depend_on_its_company():
    alone = synthetic_tape(3, 5, ["ETH"]).frame
    together = synthetic_tape(3, 5, ["BTC", "ETH", "DOGE"]).frame
    assert (alone.last[:, 0] == together.last[:, 1]).all()


def test_every_quote_is_usable_and_on_the_grid():
    frame = synthetic_tape(1, 60, tuple(CHARACTERS)).frame
    assert len(frame) == 60 * 288
    assert (frame.bid > 0).all()
    assert (frame.bid <= frame.last).all()
    assert (frame.last <= frame.ask).all()
    for prices in (frame.bid, frame.ask, frame.last):
        assert (to_grid(prices) == prices).all()
    assert (np.diff(frame.times) == np.timedelta64(300, "s")).all()


def test_coins_move_together_trend_and_jump():
    frame = synthetic_tape(1, 90, ("BTC", "ETH", "DOGE")).frame
    returns = np.diff(np.log(frame.last), axis=0)
    together = np.corrcoef(returns.T)
    assert together[np.triu_indices(3, 1)].min() > 0.4
    deviation = returns.std(axis=0)
    assert (np.abs(returns).max(axis=0) > 8 * deviation).all()
    assert 0.005 < deviation[0] * np.sqrt(288) < 0.05


@pytest.mark.parametrize(
    ("seed", "days", "coins"),
    [(1, 0, ["BTC"]), (1, -3, ["BTC"]), (1, 1e9, ["BTC"]), (1, float("nan"), ["BTC"]), (1, 5, []), (-1, 5, ["BTC"])],
)
def test_a_market_that_cannot_be_is_refused(seed, days, coins):
    with pytest.raises(InvalidInput):
        synthetic_tape(seed, days, coins)
