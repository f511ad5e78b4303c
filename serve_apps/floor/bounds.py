"""Limits as they are asked for and shown."""

from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from omc.risk.limits import Bounds
from serve_apps.wire import Amount, Body, Finite, Money, Whole

Share = Annotated[Finite, Field(gt=0, le=1)]
Seconds = Annotated[Finite, Field(gt=0)]
Count = Annotated[Whole, Field(ge=1)]
ALWAYS = ("order_notional_aud", "position_notional_aud", "daily_loss_aud")
"""What every deployment is limited by."""


class BoundsIn(Body):
    """What is left out stays as it is; what is null does not bind any more. Shares are fractions of equity, times those
    of the market's clock."""

    order_notional_aud: Amount | None = Field(None, description="The largest order.")
    position_notional_aud: Amount | None = Field(None, description="The largest position in one coin.")
    daily_loss_aud: Amount | None = Field(
        None, description="Lost since the day began, realized or not and fees included, before buying stops."
    )
    concentration: Share | None = Field(None, description="The largest share of equity in one coin.")
    gross_notional_aud: Amount | None = Field(None, description="All positions together.")
    net_notional_aud: Amount | None = Field(None, description="As gross, less what is owed.")
    price_band_bps: Annotated[Finite, Field(gt=0)] | None = Field(
        None, description="How far a price may be worse than the newest quote."
    )
    orders_a_minute: Count | None = None
    duplicate_s: Seconds | None = Field(
        None, description="Within this time the very same order is taken for a mistake."
    )
    drawdown: Share | None = Field(None, description="The largest loss from the highest equity, as a share of it.")
    losses_in_a_row: Count | None = Field(None, description="Losing sales after which buying rests.")
    cool_down_s: Seconds | None = Field(None, description="How long it rests; until the day is over when not given.")
    quote_age_s: Seconds | None = Field(None, description="How old an order's quote may be.")

    def named(self) -> dict[str, Decimal | None]:
        """Those that the request names."""
        given = {name: getattr(self, name) for name in BoundsIn.model_fields if name in self.model_fields_set}
        return {name: value if value is None else Decimal(str(value)) for name, value in given.items()}


class BoundsOut(BaseModel):
    """What is left out does not bind."""

    order_notional_aud: Money | None = None
    position_notional_aud: Money | None = None
    daily_loss_aud: Money | None = None
    concentration: float | None = None
    gross_notional_aud: Money | None = None
    net_notional_aud: Money | None = None
    price_band_bps: float | None = None
    orders_a_minute: int | None = None
    duplicate_s: float | None = None
    drawdown: float | None = None
    losses_in_a_row: int | None = None
    cool_down_s: float | None = None
    quote_age_s: float | None = None

    @model_serializer(mode="wrap")
    def _those_set(self, shown: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in shown(self).items() if value is not None}

    @classmethod
    def of(cls, bounds: Bounds) -> Self:
        shown: dict[str, Any] = dict(bounds.set())
        return cls(**shown)
