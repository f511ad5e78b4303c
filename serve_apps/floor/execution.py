"""How a deployment's orders are worked, as it is asked for and as it is shown."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from omc.trading.execution import LONGEST_S, MOST_SLICES, Execution, Routing, Style
from serve_apps.wire import Amount, Body, Finite, Metric, Money, Whole


class ExecutionIn(Body):
    """How the deployment's orders are worked. Left out, each goes to the venue whole, and takes what there is at
    once."""

    slice_above_aud: Amount | None = Field(None, description="Orders worth more are carried out in slices.")
    slices: Annotated[Whole, Field(ge=2, le=MOST_SLICES)] = 5
    over_s: Annotated[Finite, Field(ge=0, le=LONGEST_S)] = Field(
        60.0, description="The time that slices are spread over, by the venue's clock."
    )
    style: Literal["twap", "vwap"] = Field(
        "twap", description="Alike over time, or as volume was spread over it: evenly where no volumes are known."
    )
    good_for_s: Annotated[Finite, Field(ge=0, le=LONGEST_S)] = Field(
        0.0, description="How long an order may rest on the book; its trader waits for it."
    )
    tolerance_bps: Annotated[Finite, Field(ge=0)] | None = Field(None, description="Slippage beyond is flagged.")
    routing: Literal["fee", "cost"] = Field(
        "fee", description="The way to the venue's price: by its fee, as a backtest assumes, or by its expected cost."
    )

    def execution(self) -> Execution:
        return Execution(
            self.slice_above_aud,
            self.slices,
            self.over_s,
            Style(self.style),
            self.good_for_s,
            self.tolerance_bps,
            Routing(self.routing),
        )


class ExecutionOut(BaseModel):
    """How a deployment's orders are worked; see `ExecutionIn`."""

    slice_above_aud: Money | None
    slices: int
    over_s: float
    style: Literal["twap", "vwap"]
    good_for_s: float
    tolerance_bps: Metric
    routing: Literal["fee", "cost"]

    @classmethod
    def of(cls, execution: Execution) -> Self:
        return cls(
            slice_above_aud=execution.slice_above_aud,
            slices=execution.slices,
            over_s=execution.over_s,
            style=execution.style.value,
            good_for_s=execution.good_for_s,
            tolerance_bps=execution.tolerance_bps,
            routing=execution.routing.value,
        )
