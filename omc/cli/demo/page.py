"""The demo's page: the floor beside its backtest as the platform drew it, and every gate before real money."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

# A page may have thousands of trades: whoever looks for the gates finds them before those.
_BEFORE = ("<h2>Trades", "</body>")
_SECTION = """<style>.gates td:last-child {{ white-space: normal }}</style>
<h2>Before real money: every gate</h2>
<p>{tries}</p>
<table class="gates"><thead><tr><th>Gate</th><th class="number">Figure</th><th class="number">Threshold</th>
<th>Passed</th><th>Why</th></tr></thead><tbody>
{rows}
</tbody></table>
"""


def with_gates(page: str, gates: Sequence[Mapping[str, Any]], tries: Mapping[str, Any]) -> str:
    """`page` with a section of the `gates` of the next step, before its trades."""
    section = _SECTION.format(tries=escape(counted(tries)), rows="\n".join(_row(gate) for gate in gates))
    place = next((mark for mark in _BEFORE if mark in page), None)
    if place is None:
        return page + section
    before, mark, after = page.rpartition(place)
    return f"{before}{section}{mark}{after}"


def counted(tries: Mapping[str, Any]) -> str:
    """The tries in a sentence."""
    sentence = f"{tries['tries']:,} tries were counted"
    if tries["variance_sharpe"] is None:
        return f"{sentence}."
    spread = f"{tries['mean_sharpe']:.2f} on average, with a variance of {tries['variance_sharpe']:.2f}"
    return f"{sentence}; their Sharpe ratios are {spread}."


def _row(gate: Mapping[str, Any]) -> str:
    figure = "–" if gate["figure"] is None else f"{gate['figure']:,.4g}"
    numbers = f'<td class="number">{figure}</td><td class="number">{gate["threshold"]:,.4g}</td>'
    passed, why = "yes" if gate["passed"] else "no", escape(gate["why"])
    return f"<tr><td>{escape(gate['gate'])}</td>{numbers}<td>{passed}</td><td>{why}</td></tr>"
