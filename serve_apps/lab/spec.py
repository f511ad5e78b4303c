"""What a backtest or a sweep is asked to simulate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from pydantic import BaseModel, Field

from omc.backtest.ground import MOST_LATENCY_BARS, MOST_SLIPPAGE_BPS
from omc.backtest.run import BacktestSpec
from omc.backtest.study import check
from omc.errors import InvalidInput
from omc.ledger.exchange import PriceArchive
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.maker import Maker
from omc.trading.paper.venue import LARGEST_AUD
from serve_apps.asking import TriggersIn
from serve_apps.making import apart, whole_parameters
from serve_apps.wire import Body, Cash, Closing, Coins, Finite, Money, Opening, Parameters, Time, Whole


class SpecIn(Body):
    """Bars from `start_date` to `end_date`, both included, are traded; earlier ones only warm up."""

    start_date: Opening
    end_date: Closing
    coins: Coins
    parameters: Parameters = Field({}, description="Those named here replace the algorithm's own.")
    initial_cash: Annotated[Cash, Field(description=f"At most {LARGEST_AUD}, as much as an account may open with.")]
    rebalance_band: Annotated[Finite, Field(ge=0, lt=1)] = Field(
        0.02, description="Nothing is traded while a holding is within this fraction of equity from its target."
    )
    slippage_bps: Annotated[Finite, Field(ge=0, le=MOST_SLIPPAGE_BPS)] = Field(
        0.0, description="How far beyond the quote every order is filled."
    )
    latency_bars: Annotated[Whole, Field(ge=0, le=MOST_LATENCY_BARS)] = Field(
        0, description="Bars by which a decision reaches the market later than the next."
    )

    async def spec(self, record: AlgorithmRecord, maker: Maker) -> BacktestSpec:
        """For `record`; InvalidInput when its parameters or the window make no sense."""
        make = maker.of(record.code)
        parameters: Mapping[str, Any] = {**record.parameters, **self.parameters}
        spec = BacktestSpec(
            algorithm_type=record.algorithm_type,
            parameters=await whole_parameters(make, record.algorithm_type, parameters),
            coins=tuple(self.coins),
            start=self.start_date,
            end=self.end_date,
            initial_cash_aud=self.initial_cash,
            rebalance_band=self.rebalance_band,
            slippage_bps=self.slippage_bps,
            latency_bars=self.latency_bars,
        )
        await apart(check, spec, make)
        return spec


class BacktestIn(SpecIn):
    model_id: UUID | None = Field(
        None,
        description="The fitted model that decides: of the same code, parameters and coins, and fitted on bars before "
        "`start_date` alone.",
    )
    triggers: TriggersIn = Field([], description="When the algorithm is asked: on every bar, without any.")


class SpecOut(BaseModel):
    algorithm_id: UUID
    version: int
    algorithm_type: str
    start_date: Time
    end_date: Time
    coins: list[str]
    parameters: dict[str, Any]
    initial_cash: Money
    rebalance_band: float
    slippage_bps: float
    latency_bars: int
    model_id: UUID | None
    triggers: list[dict[str, Any]]

    @classmethod
    def figures(cls, algorithm_id: UUID, version: int, spec: BacktestSpec) -> dict[str, Any]:
        return {
            "algorithm_id": algorithm_id,
            "version": version,
            "algorithm_type": spec.algorithm_type,
            "start_date": spec.start,
            "end_date": spec.end,
            "coins": list(spec.coins),
            "parameters": dict(spec.parameters),
            "initial_cash": spec.initial_cash_aud,
            "rebalance_band": spec.rebalance_band,
            "slippage_bps": spec.slippage_bps,
            "latency_bars": spec.latency_bars,
            "model_id": spec.model,
            "triggers": [each.told() for each in spec.triggers],
        }


class Windowed(Protocol):
    """Anything that is about the prices of some coins within two bounds."""

    @property
    def coins(self) -> tuple[str, ...]: ...

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...


async def check_stored(archive: PriceArchive, spec: Windowed, fewest_bars: int = 2) -> None:
    """InvalidInput for a coin without any stored price, and for a window that lies beyond all prices of one of them, or
    holds fewer than `fewest_bars`: what is decided at one is filled at the next."""
    spans = await archive.spans(spec.coins)
    unknown = [coin for coin in spec.coins if coin not in spans]
    if unknown:
        raise InvalidInput(f"coins: no prices of {', '.join(unknown)} are stored")
    for coin in spec.coins:
        first, last = spans[coin]
        if spec.end < first or spec.start > last:
            raise InvalidInput(f"prices of {coin} are stored from {first.isoformat()} to {last.isoformat()} only")
    if await archive.count(spec.coins, spec.start, spec.end, fewest_bars) < fewest_bars:
        raise InvalidInput(f"fewer bars are stored in this window than the {fewest_bars:,} that it takes")
