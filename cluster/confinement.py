"""Whether people's code runs on this machine, and behind what: found out once as the platform starts, and then told to
all of its processes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from omc.adapters.sandbox_process.doctor import Layer, doctor, refusal
from omc.strategy.maker import Maker
from omc.strategy.sandbox_port import MemorySandbox, Sandbox

logger = logging.getLogger("omc.sandbox")

ALLOW = "--allow-unsafe-sandbox"


@dataclass(frozen=True, slots=True)
class Confinement:
    """`why` people's code cannot be confined here, in a sentence; None when it can. `asked` when whoever runs the
    platform wants it to run all the same."""

    why: str | None
    asked: bool = False

    @classmethod
    def examined(cls, *, asked: bool, look: Callable[[], list[Layer]] = doctor) -> Self:
        """Try the locks. It takes a process of its own, and some tenths of a second."""
        return cls(refusal(look()), asked)

    @classmethod
    def told(cls, said: Any) -> Self | None:
        """What `document` gave; None for anything else."""
        match said:
            case {"why": str() | None as why, "asked": bool() as asked}:
                return cls(why, asked)
        return None

    @property
    def document(self) -> dict[str, Any]:
        return {"why": self.why, "asked": self.asked, "notice": self.notice}

    @property
    def unsafe(self) -> bool:
        """Whether people's code runs with less around it than it should."""
        return self.asked and self.why is not None

    @property
    def notice(self) -> str | None:
        """What whoever runs the platform is to know, in a sentence; None when all is as it should be."""
        if self.unsafe:
            return f"UNSAFE: people's code runs without a whole sandbox, as {ALLOW} asks: {self.why}"
        if self.why is not None:
            return f"people's code is refused: {self.why}"
        return f"{ALLOW} was not needed: every lock works here" if self.asked else None

    def maker(self, confined: Callable[[], Callable[[str], Sandbox]], *, linux: bool) -> Maker:
        """Makes algorithms, people's own code among them where it may run. `confined` opens sandboxes with every lock
        that works."""
        if self.why is None:
            return Maker(confined())
        if not self.asked:
            return Maker(why=self.why)
        logger.warning("%s", self.notice)
        # Where there is nothing better, the first wall stands alone; elsewhere it is not even loaded.
        from omc.strategy.sandbox import load

        return Maker(confined() if linux else partial(MemorySandbox, load=load), unsafe=True)
