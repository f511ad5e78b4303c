"""The faults of the exchange that a demo is played against, switched by the sandbox exchange's own control."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from omc.cli.outcome import Failure


class Faults:
    """By a seed: which of the exchange's requests go wrong, and how, is the same each time that they are the same."""

    def __init__(self, seed: int, rates: Mapping[str, float], exchange: str, home: Path) -> None:
        self._plan = {"seed": seed, **rates}
        self._url = f"{exchange}/sandbox/faults"
        self._token_file = home / "keys" / "sandbox.token"

    def begin(self) -> None:
        """Of every kind that leaves no trace in an account whose owner copes with it: the others make other trades than
        the backtest's, which no floor could undo."""
        kinds = self._ask("GET")["harmless"]
        self._ask("POST", {**self._plan, "kinds": kinds})

    def end(self) -> dict[str, Any]:
        """What went wrong, as report.json has it."""
        found = self._ask("POST", {})
        return {**self._plan, "total": found["total"], "counts": found["counts"], "faults": found["faults"]}

    def _ask(self, method: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            headers = {"x-sandbox-token": self._token_file.read_text().strip()}
            answer = httpx.request(method, self._url, json=body, headers=headers, timeout=30.0, trust_env=False)
            said: dict[str, Any] = answer.json()
        except (OSError, httpx.HTTPError, ValueError) as fault:
            raise Failure(f"the sandbox exchange does not say what it does wrong: {fault}") from None
        if answer.is_error:
            raise Failure(f"the sandbox exchange: {said.get('message')}")
        return said


def by_kind(counts: dict[str, int]) -> str:
    """The kinds with their counts, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join(f"{count} {kind}" for kind, count in ordered)
