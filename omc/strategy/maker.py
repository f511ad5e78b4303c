"""Algorithms made from what is stored of them: those that ship with the platform by their type, people's own code
behind its walls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from omc.errors import InvalidInput
from omc.strategy.algorithm import Algorithm

if TYPE_CHECKING:
    from omc.strategy.sandbox_port import Sandbox

CUSTOM = "custom"
"""The `algorithm_type` of people's own code, which says what it is by itself."""

Make = Callable[[str, Mapping[str, Any]], Algorithm]
"""Of a type and its parameters; `registry.make` is one."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Travels to wherever algorithms are made. `sandbox` opens one for a source, inert until it is asked; without it,
    code is refused, `why` being the reason. `unsafe` says that its sandboxes lack a lock that they should have."""

    sandbox: "Callable[[str], Sandbox] | None" = None
    why: str = "no sandbox is set up here"
    unsafe: bool = False
    model: bytes | None = None
    """The content of a model that all of its code's algorithms are fitted with, unless another is named."""

    def of(self, code: str | None, model: bytes | None = None) -> Make:
        """How algorithms of this code are made, or those that ship with the platform where there is none; with the
        content of a model, as fitted already."""
        return partial(self.make, code=code) if model is None else partial(self.make, code=code, model=model)

    def make(
        self,
        algorithm_type: str,
        parameters: Mapping[str, Any],
        code: str | None = None,
        model: bytes | None = None,
    ) -> Algorithm:
        """A new algorithm, to be closed by whoever asked for it; parameters that are not given have their defaults.

        InvalidInput names the type that does not exist, or the parameter that is unknown, of another type or out of its
        range, or what is wrong with the code and where; SandboxRefused when code cannot be confined here.
        """
        # Compiled arithmetic, which whoever only hands a maker on should not pay for.
        from omc.strategy import registry
        from omc.strategy.sandboxed import SandboxedAlgorithm

        if code is None and algorithm_type != CUSTOM:
            if model is not None:
                raise InvalidInput(f"{algorithm_type} learns as it goes along: it takes no stored model")
            return registry.make(algorithm_type, parameters)
        model = self.model if model is None else model
        sandbox = self.opened(algorithm_type, code)
        try:
            made = SandboxedAlgorithm(sandbox, parameters)
            return made if model is None else made.restore(model)
        except BaseException:
            sandbox.close()
            raise

    def opened(self, algorithm_type: str, code: str | None) -> "Sandbox":
        """A sandbox for this code, inert until it is asked and to be closed by whoever asked for it. InvalidInput where
        code cannot run, and for code and a type that do not go together."""
        if self.sandbox is None:
            raise InvalidInput(f"code of your own cannot run: {self.why}")
        if algorithm_type != CUSTOM:
            raise InvalidInput(f"code of your own has the algorithm type {CUSTOM!r}, not {algorithm_type!r}")
        if code is None:
            raise InvalidInput(f"an algorithm of type {CUSTOM!r} is made of code, and none was given")
        return self.sandbox(code)
