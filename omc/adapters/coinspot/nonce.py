"""A number for every private request, each higher than the one before, across restarts.

A later nonce that the venue accepted proves that an earlier request, which it never answered, can never be executed.
"""

from dataclasses import dataclass, field
from typing import Protocol


class NonceStore(Protocol):
    async def next(self, account: str, now_ms: int) -> int:
        """max(now_ms, the account's last + 1), durable before it returns."""
        ...


@dataclass(slots=True)
class MemoryNonces:
    """A NonceStore that lives and dies with the process."""

    last: dict[str, int] = field(default_factory=dict)

    async def next(self, account: str, now_ms: int) -> int:
        self.last[account] = max(now_ms, self.last.get(account, 0) + 1)
        return self.last[account]
