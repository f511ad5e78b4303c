"""Everything that a venue may be able to do is put into words, both ways."""

from dataclasses import fields

from omc.trading.capability import table
from omc.trading.paper.exchange import CAPABILITIES
from omc.trading.venue import Capabilities

NAMES = [each.name for each in fields(Capabilities)]


def test_every_capability_has_a_sentence_for_having_it_and_another_for_lacking_it():
    having, lacking = (table(Capabilities(**dict.fromkeys(NAMES, has))) for has in (True, False))
    assert [row.name for row in having] == [row.name for row in lacking] == NAMES
    for here, there in zip(having, lacking, strict=True):
        assert (here.has, there.has) == (True, False)
        assert here.means != there.means
        for each in (here.means, there.means):
            assert each[0].isupper()
            assert each.endswith(".")


def test_coinspots_gaps_are_told():
    rows = {row.name: row for row in table(CAPABILITIES)}
    assert not rows["shows_withdrawal_right"].has
    assert "you must say yourself" in rows["shows_withdrawal_right"].means
    assert rows["resting_orders"].has
