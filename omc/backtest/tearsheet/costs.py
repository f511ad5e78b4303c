"""Where the money went: what was earned before costs, what each cost took, and what was left."""

from collections.abc import Mapping

from omc.backtest.tearsheet.plot import BLUE, GREEN, RED, Figure, axis, figure


def costs_of(metrics: Mapping[str, float | None]) -> dict[str, float]:
    """AUD that was paid, by kind, as far as `metrics.summary` tells."""
    return {kind: paid for kind in ("fees", "spread", "slippage") if (paid := metrics.get(f"{kind}_aud")) is not None}


def cost_chart(net_aud: float, costs_aud: Mapping[str, float]) -> Figure:
    """A waterfall from the result before costs, over each of `costs_aud` (positive is paid), to `net_aud`."""
    before = net_aud + sum(costs_aud.values())
    names = ["before costs", *costs_aud, "after costs"]
    steps = [before, *(-paid for paid in costs_aud.values()), net_aud]
    fall = {
        "type": "waterfall",
        "x": names,
        "y": steps,
        "measure": ["absolute", *["relative"] * len(costs_aud), "total"],
        "text": [f"{'-' if step < 0 else ''}A${abs(step):,.2f}" for step in steps],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": GREEN}},
        "decreasing": {"marker": {"color": RED}},
        "totals": {"marker": {"color": BLUE}},
        "connector": {"line": {"color": "#c9d1dc", "width": 1}},
        "hovertemplate": "%{x}: %{text}<extra></extra>",
    }
    low, high = min(0.0, before, net_aud), max(0.0, before, net_aud)
    room = 0.15 * ((high - low) or 1.0)
    return figure(
        [fall],
        320,
        xaxis=axis(type="category", fixedrange=True),
        yaxis=axis("A$", tickformat=",~r", fixedrange=True, range=[low - room, high + room]),
        showlegend=False,
    )
