"""What a trader reads of the past when not every coin of it was ever quoted."""

import numpy as np
import pytest

from actors.history import History
from omc.errors import NotFound
from omc.ledger.exchange import MemoryPriceArchive
from omc.trading.deployment import DeploymentStatus
from tests.actors.mortal import COINS, START, House, Written, deployment, market

TAPE, WEIGHTS = market(6, gaps=0.0)


@pytest.fixture
async def history() -> History:
    archive = MemoryPriceArchive()
    await archive.load(TAPE.frame)
    return History(archive)


async def test_a_coin_that_was_never_quoted_is_a_column_without_quotes(history: History) -> None:
    end = TAPE.frame.time(-1)
    for read in (await history.tail(("NEW", "BTC"), end, 3), await history.read(("NEW", "BTC"), START, end)):
        assert read.coins == ("NEW", "BTC")
        assert np.isnan(read.bid[:, 0]).all()
        assert (read.bid[:, 1] == TAPE.frame.bid[-len(read) :, 0]).all()
    assert len(await history.tail(("NEW", "BTC"), end, 3)) == 3


async def test_what_is_stored_is_read_as_the_archive_reads_it(history: History) -> None:
    end = TAPE.frame.time(-1)
    assert (await history.tail(COINS, end, 4)).bid.tolist() == TAPE.frame.bid[-4:].tolist()
    assert len(await history.read(COINS, START, end)) == len(TAPE.frame)


async def test_of_coins_none_of_which_was_ever_quoted_there_is_nothing_to_read(history: History) -> None:
    with pytest.raises(NotFound, match="NEW, NEWER"):
        await history.tail(("NEW", "NEWER"), TAPE.frame.time(-1), 1)


async def test_a_coin_that_is_not_quoted_yet_keeps_nobody_from_trading_the_others() -> None:
    written = dict(zip(TAPE.frame.times, WEIGHTS, strict=True))
    house = House(TAPE, lambda *_: Written(written))
    of = deployment(coins=("BTC", "NEW", "ETH"))
    try:
        await house.play(of)
        assert {fill.coin for fill, _ in house.fills(of)} == {"BTC", "ETH"}
        assert (await house.deployments.get(of.id)).status is DeploymentStatus.ACTIVE
    finally:
        await house.close()
