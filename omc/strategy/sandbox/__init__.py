"""The first wall around people's code: what it may say, what it may see, and clear words for everything else.

`check` lists what is refused, `compile_source` makes a program, `load` makes the algorithm that the code defines. A
wall in the same process as what it guards keeps nobody out for good: people's code runs behind the second one, too.
"""

from omc.strategy.sandbox.finding import Finding
from omc.strategy.sandbox.loading import Loaded, load
from omc.strategy.sandbox.program import Program, check, compile_source
from omc.strategy.sandbox.warm_up import warm_up

__all__ = ["Finding", "Loaded", "Program", "check", "compile_source", "load", "warm_up"]
