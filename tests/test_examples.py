"""What there is to begin from passes every check that the platform makes of anybody's code."""

from contextlib import closing
from pathlib import Path

import pytest

from omc.backtest import lookahead
from omc.promotion.contract import bars_for, coins_for, findings, made_market
from omc.strategy.maker import Maker
from omc.strategy.sandbox import check, load
from omc.strategy.sandbox_port import MemorySandbox

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_passes_the_first_wall_and_every_check_and_declares_what_may_be_searched(file):
    source = file.read_text()
    assert check(source) == []
    maker = Maker(lambda code: MemorySandbox(code, load))
    with closing(maker.of(source)("custom", {})) as algorithm:
        assert findings(algorithm) == []
        market = made_market(bars_for(algorithm), coins_for(algorithm))
        assert lookahead.of_algorithm(algorithm, market, cuts=3) == []
        assert algorithm.predict(market).any()
        assert any(each.search for each in algorithm.parameters().values())
