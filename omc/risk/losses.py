"""Losses that trip the kill switch of their level."""

from omc.risk.exposure import Figures
from omc.risk.no import No, limit_of
from omc.risk.verdict import Breach, DenialReason


def lost_today(figures: Figures) -> No | None:
    """Whether the day's loss has reached its limit."""
    limit, lost = figures.bounds.daily_loss_aud, -figures.day_result_aud
    if limit is None or lost < limit:
        return None
    message = f"{lost:.2f} AUD are lost today, {limit_of(figures)} is {limit}"
    return No(DenialReason.DAILY_LOSS, message, Breach(figures.level, "daily_loss_aud", lost, limit))


def drawn_down(figures: Figures) -> No | None:
    """Whether the loss from the highest equity has reached its limit."""
    limit = figures.bounds.drawdown
    if limit is None or figures.drawdown < limit:
        return None
    message = f"{figures.drawdown:.4f} of the highest equity is lost, {limit_of(figures)} is {limit}"
    return No(DenialReason.DRAWDOWN, message, Breach(figures.level, "drawdown", figures.drawdown, limit))


TRIPPING = (lost_today, drawn_down)
"""What trips the kill switch of its level whether or not anybody wants to trade, until a person resets it."""
TRIPS = frozenset({DenialReason.DAILY_LOSS, DenialReason.DRAWDOWN})
