"""What is kept of an algorithm while its owner is still writing it.

Code that cannot be loaded is kept as it is, for nothing may be lost in an editor; whatever runs it says what is wrong
with it. Code that can be has its parameters checked, and kept whole.
"""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from omc.errors import CodeFailed, InvalidInput
from omc.strategy.maker import Maker
from omc.strategy.sandboxed import SandboxedAlgorithm
from serve_apps.making import apart, kept, whole, whole_parameters


async def drafted(
    maker: Maker, algorithm_type: str, code: str | None, parameters: Mapping[str, Any], *, left: bool = False
) -> dict[str, Any]:
    """The parameters to keep. Of those that were `left` as they are while the code changed, what the new code does not
    have goes.

    InvalidInput for a type and code that do not go together, for parameters that the algorithm refuses, and where no
    code can run; SandboxRefused where it cannot be confined.
    """
    if code is None:
        return await whole_parameters(maker.of(None), algorithm_type, parameters)
    return await apart(_of_code, maker, algorithm_type, code, parameters, left)


def _of_code(maker: Maker, algorithm_type: str, code: str, parameters: Mapping[str, Any], left: bool) -> dict[str, Any]:
    with closing(maker.opened(algorithm_type, code)) as sandbox:
        try:
            defaults = sandbox.describe().defaults
            kept(defaults)
        except (InvalidInput, CodeFailed):
            return dict(parameters)
        if left:
            parameters = {name: value for name, value in parameters.items() if name in defaults}
        algorithm = SandboxedAlgorithm(sandbox, parameters)
        try:
            return whole(algorithm)
        except CodeFailed:
            return algorithm.get_params()
        except InvalidInput:
            if algorithm.get_params() != defaults:
                raise
            # Nobody has set anything that it could refuse: it is the code that fails.
            return algorithm.get_params()
