"""Waiting until something long is over. It goes on when the waiting is interrupted."""

import time
from collections.abc import Callable
from typing import Any

from rich.console import RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from omc.cli import show
from omc.cli.outcome import Failure
from omc.cli.platform import Platform

_ASK_AGAIN_S = 0.5


def wait(there: Platform, path: str, what: str, total: int) -> dict[str, Any]:
    """With a progress bar, where there is a screen."""
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=show.err,
        transient=True,
        disable=not show.err.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total)
        return until_over(there, path, what, lambda now: bar.update(task, completed=round(now["progress"] * total)))


def watch(there: Platform, sweep_id: str) -> dict[str, Any]:
    """A sweep, with a table of how far it is and the best so far, where there is a screen."""
    path, began = f"/lab/sweeps/{sweep_id}", time.monotonic()
    if not show.err.is_terminal:
        return until_over(there, path, "sweep", lambda _: None)
    first: list[int] = []
    with Live(console=show.err, transient=True, refresh_per_second=4) as screen:

        def look(now: dict[str, Any]) -> None:
            first.append(now["done"])
            screen.update(progress(now, now["done"] - first[0], time.monotonic() - began))

        return until_over(there, path, "sweep", look)


def progress(sweep: dict[str, Any], done_here: int, took_s: float) -> RenderableType:
    """A sweep at a glance, of which `done_here` points were tried in the last `took_s` seconds."""
    best = sweep["best"] or {"metrics": {}, "parameters": {}}
    score = best["metrics"].get(sweep["objective"])
    rate = done_here / took_s if took_s > 0 else 0.0
    left = (sweep["points"] - sweep["done"]) / rate if rate > 0 else None
    rows = {
        "points": f"{sweep['done']:,} of {sweep['points']:,} ({sweep['progress']:.0%})",
        "points a second": f"{rate:,.1f}",
        "failed, pruned": f"{sweep['failed']:,}, {sweep['pruned']:,}",
        f"best {sweep['objective']}": "–" if score is None else f"{score:.4f}",
        "with": ", ".join(f"{name} {value}" for name, value in sorted(best["parameters"].items())) or "–",
        "elapsed": f"{took_s:,.0f} s" + ("" if left is None else f", about {left:,.0f} s left"),
    }
    table = Table(title=f"sweep {sweep['id']}: {sweep['status']}", show_header=False, box=None, title_justify="left")
    for name, value in rows.items():
        # What an algorithm's parameter is named is not ours to format.
        table.add_row(Text(name), Text(value))
    return table


def until_over(there: Platform, path: str, what: str, look: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Ask again and again, and let `look` see each answer; the last of them. Failure when it has failed or was
    cancelled."""
    while True:
        now: dict[str, Any] = there.get(path)
        look(now)
        if now["status"] == "completed":
            return now
        if now["status"] in ("failed", "cancelled"):
            reason = now.get("error_message") or "it was cancelled"
            raise Failure(f"the {what} has {now['status']}: {reason}", code=now["status"].upper(), details=now)
        time.sleep(_ASK_AGAIN_S)
