from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from omc.ledger.collector import Consumers, HotBoard, as_stored, board_of, next_bar
from omc.ledger.exchange import QuotesSeen
from omc.market.quote import QuoteBoard
from tests.actors.mortal import START, market

FRAME = market(5, gaps=0.0)[0].frame
BOARD = board_of(FRAME, 0)


def at(minutes: float, board: QuoteBoard = BOARD) -> QuoteBoard:
    return replace(board, time=START + timedelta(minutes=minutes))


def test_the_first_board_of_a_bar_is_stored_at_the_bars_time() -> None:
    bar = next_bar(at(5.05), START)
    assert bar == at(5)


def test_later_boards_of_a_bar_are_not_stored() -> None:
    assert next_bar(at(5.1), START + timedelta(minutes=5)) is None


def test_a_board_too_late_for_its_bar_would_be_a_look_ahead() -> None:
    assert next_bar(at(6), None) == at(5)
    assert next_bar(at(6.1), None) is None


def test_a_board_without_quotes_is_no_bar() -> None:
    assert next_bar(QuoteBoard(START, {}), None) is None


def test_a_bar_that_was_stored_before_is_shown_as_it_was_stored() -> None:
    stored = FRAME.rows(0, 2)
    shown = as_stored(board_of(FRAME, 1), stored)
    assert shown == board_of(FRAME, 1)
    other = replace(board_of(FRAME, 3), time=FRAME.time(1))
    assert as_stored(other, stored).quotes == board_of(FRAME, 1).quotes
    assert as_stored(other, FRAME.rows(0, 1)) == other
    assert as_stored(other, FRAME.rows(0, 0)) == other


def test_without_consumers_the_tape_stands() -> None:
    assert not Consumers().may_move_on(START)


def test_one_who_died_holds_the_tape_until_it_leaves() -> None:
    consumers = Consumers()
    consumers.ask("alive", START)
    consumers.expect(["died", "alive"])
    assert consumers.waiting_for(START) == ["died"]
    assert not consumers.may_move_on(START)
    consumers.leave("died")
    consumers.leave("died")
    assert consumers.may_move_on(START)


@given(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 3)), st.integers(0, 3))
def test_the_tape_moves_when_everybody_is_done_with_what_is_shown(done: dict[str, int | None], shown: int) -> None:
    consumers = Consumers()
    for name, bar in done.items():
        consumers.ask(name, None if bar is None else START + timedelta(minutes=5 * bar))
    everybody = all(bar is not None and bar >= shown for bar in done.values())
    assert consumers.may_move_on(START + timedelta(minutes=5 * shown)) is (bool(done) and everybody)


def test_a_bar_goes_before_what_was_seen_after_it() -> None:
    hot = HotBoard()
    assert hot.after(None) is None
    hot.show(QuotesSeen(at(4), bar=False))
    assert hot.after(None) == QuotesSeen(at(4), bar=False)
    hot.show(QuotesSeen(at(5), bar=True))
    hot.show(QuotesSeen(at(5.1), bar=False))
    assert hot.newest == at(5.1)
    assert hot.after(START + timedelta(minutes=4)) == QuotesSeen(at(5), bar=True)
    assert hot.after(START + timedelta(minutes=5)) == QuotesSeen(at(5.1), bar=False)
    assert hot.after(START + timedelta(minutes=5.1)) is None
