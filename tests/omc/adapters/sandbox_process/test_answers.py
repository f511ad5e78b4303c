"""What a sandbox says of an algorithm is believed field by field, or not at all."""

import copy
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.sandbox_process.answers import description_of, said_description, said_traits, traits_of
from omc.errors import InvalidInput
from omc.strategy.description import Description, Traits
from omc.strategy.macd import Macd
from omc.strategy.mean_reversion import MeanReversion
from omc.trading.exits import Exits

ABOUT = Description("Macd", "Follows.", 1, None, Macd().get_params(), Macd.parameters())
EXITS = Exits(
    stop_loss=0.1, trailing=0.2, trailing_tight=0.1, trailing_offset=0.05, take_profit=((0, 0.3), (9.5, -0.1)),
    time_stop_bars=7, reentry=True, gaps_at_open=False,
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.text("abc", max_size=3) | st.integers(1 - 2**63, 2**63 - 1)
JSON = st.recursive(
    LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=5,
)


def sent(said):
    return orjson.loads(orjson.dumps(said))


def test_a_description_survives_the_way():
    assert description_of(sent(said_description(ABOUT))) == ABOUT


@pytest.mark.parametrize(
    "exits", [EXITS, Exits(stop_loss=0.5), Exits(take_profit=((0, 0.1),)), Exits(time_stop_bars=3)]
)
def test_traits_survive_the_way(exits):
    found = traits_of(sent(said_traits(Traits(12, exits))))
    assert found.memory_bars == 12
    assert repr(found.exits) == repr(exits)


def test_no_exits_are_no_exits():
    assert repr(traits_of(sent(said_traits(Traits(1, MeanReversion(stop_loss=1.0).exits)))).exits) == repr(Exits())


def places(said, path=()):
    yield path
    for key, inner in said.items() if isinstance(said, dict) else enumerate(said) if isinstance(said, list) else ():
        yield from places(inner, (*path, key))


@pytest.mark.parametrize(
    ("said", "believe"),
    [(said_description(ABOUT), description_of), (said_traits(Traits(3, EXITS)), traits_of)],
    ids=["description", "traits"],
)
@given(data=st.data())
def test_whatever_stands_in_a_place_is_believed_or_refused_by_name(said, believe, data):
    said = copy.deepcopy(sent(said))
    path = data.draw(st.sampled_from([path for path in places(said) if path]))
    holder = said
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(JSON)
    # Any other fault than a refusal fails the test.
    with suppress(InvalidInput):
        assert isinstance(believe(said), Description | Traits)


@pytest.mark.parametrize("bars", [-1, 1.5, True, None, "3", 10**12])
def test_a_memory_that_cannot_be_is_refused(bars):
    with pytest.raises(InvalidInput, match="memory_bars"):
        traits_of({"memory_bars": bars})


def test_long_texts_are_cut_and_many_names_refused():
    said = sent(said_description(ABOUT))
    assert len(description_of({**said, "description": "x" * 100_000}).description) < 5_000
    with pytest.raises(InvalidInput, match="too many"):
        description_of({**said, "defaults": {f"p{n}": n for n in range(1_000)}})
    with pytest.raises(InvalidInput, match="too long"):
        description_of({**said, "defaults": {"p" * 1_000: 1}})
