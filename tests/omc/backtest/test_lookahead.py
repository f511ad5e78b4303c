"""What uses the future is found, whether or not it trades; what does not is left alone."""

from datetime import UTC, datetime

import numpy as np
import pytest

from omc.backtest.lookahead import Data, check, of_algorithm
from omc.errors import InvalidInput
from omc.feature.as_of import Observations, as_of
from omc.feature.frame import FloatArray, Frame
from omc.feature.indicator import rolling_mean
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.registry import make, templates

ROWS = 400


def market(rows: int = ROWS) -> Frame:
    last = np.round(100 * np.exp(np.random.default_rng(1).normal(0, 0.01, (rows, 2)).cumsum(axis=0)), 8)
    times = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(300, "s")
    return Frame(times, ("AAA", "BBB"), last, last, last)


DATA = Data(market())


def close(data: Data) -> np.ndarray:
    return data.frame.last[:, 0]


def test_what_depends_on_its_own_past_is_left_alone():
    assert check(lambda data: {"mean": rolling_mean(close(data), 20), "row": np.arange(len(data))}, DATA) == ()


def test_a_finding_names_stream_row_cut_and_test():
    def peeks(data: Data):
        return {"honest": close(data), "exits": np.append(close(data)[1:], np.nan)}

    found = check(peeks, DATA, cuts=[250])
    assert [(each.stream, each.row, each.cut, each.test) for each in found] == [
        ("exits", 249, 250, "cut off"),
        ("exits", 249, 250, "replaced by rising noise"),
        ("exits", 249, 250, "replaced by falling noise"),
    ]
    assert str(found[0]) == "exits of row 249 changes when the future from row 250 on is cut off: it looks ahead"


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, bool, "U8", object])
def test_a_single_bit_counts_in_whatever_kind_of_array(kind):
    def peeks(data: Data):
        return {"sizes": (close(data) > close(data).max() * 0.98).astype(kind)}

    def honest(data: Data):
        return {"sizes": (close(data) > 100).astype(kind)}

    assert check(peeks, DATA)
    assert check(honest, DATA) == ()


def test_minus_zero_is_not_zero_and_no_number_is_like_another():
    assert check(lambda data: {"sign": np.full(len(data), 0.0 if len(data) == ROWS else -0.0)}, DATA)
    assert check(lambda data: {"none": np.full(len(data), np.nan if len(data) == ROWS else -np.nan)}, DATA) == ()


def test_more_axes_are_looked_at():
    def peeks(data: Data):
        return {"features": np.stack([data.frame.last, np.broadcast_to(data.frame.last[-1], data.frame.last.shape)], 2)}

    assert {each.test for each in check(peeks, DATA)} == {
        "cut off",
        "replaced by rising noise",
        "replaced by falling noise",
    }


def test_a_gap_that_is_filled_from_behind_is_found_however_rare():
    last = market(2_000).last.copy()
    last[1_203, 0] = np.nan
    times = np.datetime64("2026-01-01", "us") + np.arange(2_000) * np.timedelta64(300, "s")
    data = Data(Frame(times, ("AAA", "BBB"), last, last, last))

    def fills(data: Data):
        price = close(data).copy()
        for row in range(len(price) - 2, -1, -1):
            price[row] = price[row + 1] if np.isnan(price[row]) else price[row]
        return {"price": price}

    assert {each.row for each in check(fills, data)} == {1_203}


def test_an_observation_counts_from_when_it_was_seen():
    times = DATA.frame.times
    news = Observations(times[[100]], times[[110]], times[[130]], np.array([5.0]))
    hasty = Observations(news.event_time, news.published_time, news.published_time, news.value)
    data = Data(DATA.frame, {"news": news})
    assert check(lambda given: {"news": as_of(given.observations["news"], given.frame.times)}, data) == ()

    def published(given: Data):
        series = given.observations["news"]
        hasty = Observations(series.event_time, series.published_time, series.published_time, series.value)
        return {"news": as_of(hasty, given.frame.times)}

    assert {each.row for each in check(published, data)} == {110}
    assert len(hasty) == 1


def test_what_is_not_the_same_twice_is_said_so():
    draw = np.random.default_rng(0)
    found = check(lambda data: {"noise": draw.normal(size=len(data))}, DATA)
    assert [str(each) for each in found] == ["noise is not the same in row 0 when it is decided again"]


def test_a_stream_has_a_row_for_each_bar():
    found = check(lambda data: {"weights": np.zeros(3), "scalar": np.array(1.0)}, DATA)
    assert [str(each) for each in found] == [
        f"weights has shape (3,) for {ROWS} rows",
        f"scalar has shape () for {ROWS} rows",
    ]


def test_a_stream_that_comes_and_goes_is_a_finding():
    found = check(lambda data: {"weights": close(data)} if len(data) == ROWS else {}, DATA, cuts=[200])
    assert [each.reason for each in found] == ["is missing"]


def test_too_short_a_past_may_be_refused_but_a_past_of_any_length_may_not():
    def needs(rows: int):
        def decide(data: Data):
            if len(data) < rows:
                raise ValueError("too short")
            return {"weights": close(data)}

        return decide

    assert check(needs(100), DATA) == ()
    assert "too short" in str(check(needs(ROWS), DATA)[0])


def test_a_cut_leaves_a_past_and_a_future():
    for cut in (0, ROWS):
        with pytest.raises(InvalidInput, match="rows 1 to 399"):
            check(lambda data: {"weights": close(data)}, DATA, cuts=[cut])


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
def test_what_ships_does_not_look_ahead(template):
    algorithm = make(template.algorithm_type, template.parameters)
    assert of_algorithm(algorithm, market(min(2 * algorithm.memory_bars, 3_000) + 96), cuts=3) == []


class Peeks(MovingAverageCrossover):
    def predict(self, frame: Frame) -> FloatArray:
        return np.roll(super().predict(frame), -1, axis=0)


class Sizes(MovingAverageCrossover):
    def streams(self, frame: Frame):
        return {"sizes": frame.last / frame.last.mean(axis=0)}


class Remembers(MovingAverageCrossover):
    knowledge_until = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_algorithm_is_looked_at_with_all_that_it_is_fed():
    assert "weights" in of_algorithm(Peeks(5, 20), market())[0]
    assert all(each.startswith("sizes") for each in of_algorithm(Sizes(5, 20), market()))
    assert of_algorithm(Sizes(5, 20), market())


def test_a_model_that_has_read_about_these_days_is_flagged():
    told = of_algorithm(Remembers(5, 20), market())
    assert len(told) == 1
    assert "until 2026-03-01" in told[0]
    assert "memory" in told[0]


class FitsOnce(MovingAverageCrossover):
    """Learns a threshold from the first prices it is shown, all of them, and keeps it."""

    learned: float | None = None

    def predict(self, frame: Frame) -> np.ndarray:
        if self.learned is None:
            self.learned = float(np.nanmedian(frame.last))
        return (np.nan_to_num(frame.last) > self.learned) / frame.last.shape[1]


class Counts(MovingAverageCrossover):
    """Decides otherwise each time it is asked."""

    asked = 0

    def predict(self, frame: Frame) -> np.ndarray:
        self.asked += 1
        return np.full(frame.last.shape, 1 / (1 + self.asked))


def test_a_model_that_was_fitted_once_on_everything_and_kept_looks_ahead():
    assert "looks ahead" in of_algorithm(FitsOnce(5, 20), market())[0]


def test_what_is_not_decided_alike_twice_is_said_once():
    assert of_algorithm(Counts(5, 20), market()) == ["weights is not the same in row 0 when it is decided again"]
