"""`make cases FILES="…"`: run files of expected results against the product, whichever kind they are of.

A kind is recognized by the shape of the content, and run by the module of its name beside this one. A file that could
not be run at all has failed too. The exit status is 1 when a case failed, and 2 when a file could not be run.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

Outcome = tuple[str, str | None]
"""What a case is called, and what is wrong; None when it passed."""
HERE = Path(__file__).parent


def has(*names: str) -> Callable[[Any], bool]:
    """An object with all of these."""
    return lambda content: isinstance(content, dict) and all(name in content for name in names)


def lists(*names: str) -> Callable[[Any], bool]:
    """A list of such objects, or an object that holds one."""

    def rows(content: Any) -> bool:
        held = content.values() if isinstance(content, dict) else [content]
        return any(isinstance(each, list) and bool(each) and all(map(has(*names), each)) for each in held)

    return rows


KINDS: Sequence[tuple[str, Callable[[Any], bool]]] = (
    ("metrics", has("series_pct")),
    ("lookahead", lambda content: any(has(name)(content) for name in ("must_pass", "must_flag", "metamorphic"))),
    ("profit", has("setup", "columns", "rows")),
    ("stop_fills", lists("ohlc")),
    ("candle_tables", lists("data")),
    ("reconciliation", has("order_vs_venue")),
    ("sandbox", lambda content: has("attempts")(content) or has("snippets")(content)),
)


def kind_of(content: Any) -> str | None:
    return next((name for name, fits in KINDS if fits(content)), None)


def module(name: str) -> ModuleType:
    """The runner of a kind; this folder is no package."""
    found = importlib.util.spec_from_file_location(f"cases_{name}", HERE / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    runner = importlib.util.module_from_spec(found)
    sys.modules[found.name] = runner
    found.loader.exec_module(runner)
    return runner


def outcomes(path: Path) -> list[Outcome]:
    """Of every case in a file. ValueError for a file that no runner here understands."""
    content = json.loads(path.read_text())
    name = kind_of(content)
    if name is None:
        raise ValueError("no format of cases that is known here")
    if not (HERE / f"{name}.py").exists():
        raise ValueError(f"{name} cases are not supported yet")
    try:
        found: list[Outcome] = module(name).run(content)
    except Exception as fault:
        # A case that the runner does not survive has failed, and takes no other file with it.
        return [("the whole file", f"{type(fault).__name__}: {fault}")]
    if not found:
        raise ValueError("there is no case in it")
    return found


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(files: Sequence[str]) -> int:
    if not files:
        say('say which files: make cases FILES="a.json b.json"')
        return 2
    passed, failed, unknown = 0, 0, 0
    for file in files:
        try:
            found = outcomes(Path(file))
        except (OSError, ValueError) as reason:
            say(f"FAILED {file}: {reason}")
            unknown, failed = unknown + 1, failed + 1
            continue
        for case, failure in found:
            if failure is not None:
                say(f"FAILED {Path(file).name}: {case}: {failure}")
        failures = sum(failure is not None for _, failure in found)
        passed, failed = passed + len(found) - failures, failed + failures
    say(f"{passed} passed, {failed} failed")
    return 2 if unknown else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
