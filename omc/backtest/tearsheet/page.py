"""One self-contained page: charts, tables and words, readable without a network and for as long as there are browsers.

Nothing that a person named is more than text: words are escaped, and what charts show stands as data that no browser
runs. The page itself allows no script but the two that it is made with, and
nothing to be fetched from anywhere.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

from omc.backtest.tearsheet.plot import Figure

_MOST_DIFFERENCES = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something holds, in a sentence; what speaks against it, one sentence each."""

    holds: bool
    sentence: str
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: `html`, in which everything is escaped already, and then `charts`, each with what it shows in
    words, for whoever does not see it. `note` is a sentence under the title."""

    title: str
    html: str = ""
    charts: Sequence[tuple[str, Figure]] = ()
    note: str = ""


def page(title: str, sections: Sequence[Section], *, about: str = "", verdict: Verdict | None = None) -> str:
    """The whole page; sections without anything in them are left out."""
    charts: list[Figure] = []
    written = []
    for section in sections:
        drawn = ""
        for words, chart in section.charts:
            drawn += f'<div class="chart" id="chart-{len(charts)}" role="img" aria-label="{escape(words)}"></div>'
            charts.append(chart)
        if drawn or section.html:
            note = f'<p class="note">{escape(section.note)}</p>' if section.note else ""
            written.append(f"<section><h2>{escape(section.title)}</h2>{note}{drawn}{section.html}</section>")
    return _PAGE.format(
        title=escape(title),
        about=escape(about),
        verdict=_judged(verdict) if verdict else "",
        sections="\n".join(written),
        policy=policy(),
        style=_STYLE,
        drawn=_DRAWN.format(charts=_inert(charts), library=_library().packed, draw=_DRAW) if charts else "",
    )


@dataclass(frozen=True, slots=True)
class _Library:
    """The charting library, `packed` by gzip in base64 to less than half, and what a policy knows it by."""

    packed: str
    fingerprint: str


@cache
def policy() -> str:
    """The content security policy of such a page: it runs its own two scripts, and nothing may be fetched."""
    own = f"'sha256-{_fingerprint(_DRAW)}' 'sha256-{_library().fingerprint}'"
    return f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {own}"


@cache
def _library() -> _Library:
    # Whoever draws nothing does not load five megabytes.
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    packed = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
    return _Library(packed, _fingerprint(script))


def _fingerprint(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _inert(charts: Sequence[Figure]) -> str:
    """As JSON that cannot end the element it stands in."""
    plain = json.dumps(charts, allow_nan=False, separators=(",", ":"))
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _judged(verdict: Verdict) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in verdict.differences[:_MOST_DIFFERENCES])
    more = len(verdict.differences) - _MOST_DIFFERENCES
    listed += f"<li>and {more} more</li>" if more > 0 else ""
    kind = "verdict" if verdict.holds else "verdict broken"
    return f'<p class="{kind}">{escape(verdict.sentence)}</p>' + (f"<ul>{listed}</ul>" if listed else "")


def facts(rows: Mapping[str, str | float | int]) -> str:
    """Names and values in columns."""
    listed = "".join(f"<div><span>{escape(name)}</span><b>{escape(str(it))}</b></div>" for name, it in rows.items())
    return f'<div class="facts">{listed}</div>' if listed else ""


def tiles(rows: Mapping[str, str]) -> str:
    """The few figures that are looked at first."""
    listed = "".join(f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for name, value in rows.items())
    return f'<div class="tiles">{listed}</div>' if listed else ""


def sentence(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def table(kind: str, columns: Sequence[str], rows: Sequence[Sequence[str]], figures: Sequence[bool]) -> str:
    """A table that scrolls when it is long, its rows of class `kind`; columns of `figures` are right-aligned."""
    marks = [' class="number"' if figure else "" for figure in figures]
    head = "".join(f"<th{mark}>{escape(name)}</th>" for mark, name in zip(marks, columns, strict=True))
    body = "".join(
        f'<tr class="{kind}">'
        + "".join(f"<td{mark}>{escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="rows"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


_DRAW = """
const read = id => document.getElementById(id).textContent;
const charts = JSON.parse(read("charts"));
const buttons = [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]];
const options = {responsive: true, displaylogo: false, modeBarButtons: buttons, plotlyServerURL: ""};
async function draw() {
  const packed = Uint8Array.from(atob(read("library")), letter => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);
  charts.forEach(({data, layout}, at) => {
    const zooms = !(layout.xaxis?.fixedrange && layout.yaxis?.fixedrange);
    Plotly.newPlot("chart-" + at, data, layout, {...options, displayModeBar: zooms});
  });
}
draw().catch(fault => document.querySelectorAll(".chart").forEach(place => {
  place.textContent = "This chart needs a browser of 2023 or later: " + fault;
}));
"""
_DRAWN = """<script type="application/json" id="charts">{charts}</script>
<script type="text/plain" id="library">{library}</script>
<script>{draw}</script>"""
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2330; background: #fff; max-width: 76rem; margin: 2rem auto;
  padding: 0 1rem }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem }
.about, .note { margin: 0 0 1rem; color: #5b6675 } .note { margin: -.3rem 0 .5rem; font-size: .9rem }
.verdict { font-size: 1.1rem; padding: .5rem .8rem; border-radius: 6px; background: #e3f4e6; margin: 0 0 1rem }
.verdict.broken { background: #fbe3e1 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem; margin: .5rem 0 }
.tiles div { background: #f5f7fa; border-radius: 6px; padding: .5rem .8rem }
.tiles b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums }
.tiles span { color: #5b6675; font-size: .85rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .2rem 1.5rem .2rem 0; text-align: left; white-space: nowrap; border-bottom: 1px solid #e3e7ee }
td.number, th.number { text-align: right }
thead th { position: sticky; top: 0; background: #fff }
.facts { columns: 3 18rem; column-gap: 2.5rem; font-variant-numeric: tabular-nums }
.facts div { break-inside: avoid; display: flex; justify-content: space-between; gap: 1rem;
  border-bottom: 1px solid #e3e7ee; padding: .15rem 0 }
.facts b { text-align: right; overflow-wrap: anywhere }
.rows { overflow: auto }
@media screen { .rows { max-height: 40rem } }
@media print { .chart, section { break-inside: avoid } }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<style>{style}</style></head><body>
<h1>{title}</h1>
<p class="about">{about}</p>
{verdict}
{sections}
{drawn}
</body></html>
"""
