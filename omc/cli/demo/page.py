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
_FAULTS = """<h2>What the exchange did wrong</h2>
<p>{total} faults by seed {seed}. Between the floor and its backtest, and between our books and the exchange's:
{differences} differences.</p>
<table><thead><tr><th>Kind</th><th class="number">Faults</th></tr></thead><tbody>
{kinds}
</tbody></table>
<details><summary>Every fault</summary>
<table><thead><tr><th class="number">#</th><th>Kind</th><th>Request</th><th class="number">Bar</th></tr></thead><tbody>
{rows}
</tbody></table>
</details>
"""


def with_gates(page: str, gates: Sequence[Mapping[str, Any]], tries: Mapping[str, Any]) -> str:
    """`page` with a section of the `gates` of the next step, before its trades."""
    return _before_trades(page, _SECTION.format(tries=escape(counted(tries)), rows="\n".join(map(_row, gates))))


def _before_trades(page: str, section: str) -> str:
    place = next((mark for mark in _BEFORE if mark in page), None)
    if place is None:
        return page + section
    before, mark, after = page.rpartition(place)
    return f"{before}{section}{mark}{after}"


def with_faults(page: str, struck: Mapping[str, Any], differences: int) -> str:
    """`page` with a section of the exchange's faults, by kind and one by one, before its trades."""
    kinds = sorted(struck["counts"].items(), key=lambda each: (-each[1], each[0]))
    section = _FAULTS.format(
        total=f"{struck['total']:,}",
        seed=struck["seed"],
        differences=differences or "no",
        kinds="\n".join(f'<tr><td>{escape(kind)}</td><td class="number">{count:,}</td></tr>' for kind, count in kinds),
        rows="\n".join(
            f'<tr><td class="number">{number}</td><td>{escape(each["kind"])}</td><td>{escape(each["method"])} '
            f'{escape(each["path"])}</td><td class="number">{each["position"]}</td></tr>'
            for number, each in enumerate(struck["faults"], 1)
        ),
    )
    return _before_trades(page, section)


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
