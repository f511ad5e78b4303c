"""A piece of code that passed the policy, and running it under the guards."""

import ast
import builtins
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from omc.errors import InvalidInput
from omc.strategy.sandbox import imports, offered
from omc.strategy.sandbox.finding import Finding, refusal
from omc.strategy.sandbox.keeping import keeps
from omc.strategy.sandbox.policy import Policy
from omc.strategy.sandbox.source import UNREADABLE, read, told

FILENAME = "<algorithm>"
"""What tracebacks call the code."""
GIVEN = frozenset({"np", "pd"})
"""Names that stand for libraries without an import."""
_MOST_PRINTED_AT_ONCE = 10_000

Originals = Mapping[tuple[str, int], CodeType]


@dataclass(frozen=True, slots=True)
class Program:
    """Compiled code. Each run is by itself."""

    code: CodeType
    originals: Originals = field(default_factory=dict)
    """Functions that want to be compiled, as they were before anything guarded them, by name and line."""
    keeps: bool = True
    """Whether one run of it may have somewhere to keep what an algorithm leaves there for the next."""

    def run(
        self, extra_names: Mapping[str, Any] | None = None, out: Callable[[str], Any] | None = None
    ) -> dict[str, Any]:
        """The names that the code made, and those that it was given. `out` takes what it prints.

        Whatever the code raises is raised; InvalidInput where a guard refused."""
        from omc.strategy.sandbox.surroundings import surroundings

        names = surroundings(self.originals, out or _nowhere)
        names.update(extra_names or {})
        exec(self.code, names)  # noqa: S102 (what the guards are for)
        return names


def _nowhere(text: str) -> None:
    """Nobody reads what is printed."""


def check(source: str | bytes, names: frozenset[str] = GIVEN) -> list[Finding]:
    """Everything that is refused before the code runs, by line; `names` are those that it will be given."""
    return _compiled(source, names)[1]


def compile_source(source: str | bytes, names: frozenset[str] = GIVEN) -> Program:
    """InvalidInput names line, column, what and why."""
    program, findings = _compiled(source, names)
    if program is None:
        raise refusal(findings)
    return program


def _compiled(source: str | bytes, names: frozenset[str]) -> tuple[Program | None, list[Finding]]:
    tree, findings = read(source)
    if tree is None:
        return None, findings
    try:
        originals, kept = _originals(tree), keeps(tree)
        policy = Policy()
        policy.visit(tree)
        findings = sorted(policy.findings + _unknown(policy, names), key=lambda each: (each.line, each.column))
        if findings:
            return None, findings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Program(compile(tree, FILENAME, "exec", dont_inherit=True), originals, kept), []
    except UNREADABLE as fault:
        return None, [told(fault)]


def _unknown(policy: Policy, names: frozenset[str]) -> list[Finding]:
    """Names that are read and that nothing gives a value."""
    found = []
    for name, node in policy.read.items():
        if name in policy.bound or name in offered.OFFERED or name in names or name.startswith("__"):
            continue
        if name in offered.REFUSED or hasattr(builtins, name):
            why = offered.REFUSED.get(name, "it is not among what algorithms may use")
            found.append(Finding(node.lineno, node.col_offset + 1, "name", f"{name} is not available: {why}"))
        elif not name.startswith("_"):
            found.append(Finding(node.lineno, node.col_offset + 1, "name", f"nothing here is called {name}"))
        else:
            found.append(Finding(node.lineno, node.col_offset + 1, "name", f'nothing here is called "{name}"'))
    return found


def _originals(tree: ast.Module) -> Originals:
    """The code of the module's functions under a decorator of numba, as Python alone compiles it."""
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    if not any("jit" in ast.unparse(each) for node in functions for each in node.decorator_list):
        return {}
    # All of it, since the compiler treats what was imported above in its own way.
    module = compile(tree, FILENAME, "exec", dont_inherit=True)
    return {(each.co_name, each.co_firstlineno): each for each in module.co_consts if isinstance(each, CodeType)}


def printer(out: Callable[[str], Any]) -> Callable[..., None]:
    """`print`, which goes nowhere but to `out`."""

    def call(*values: Any, sep: str = " ", end: str = "\n", **others: Any) -> None:
        if others.keys() - {"flush"}:
            raise InvalidInput("print writes to nothing but its own output")
        for each in (sep, end):
            if type(each) is not str:
                raise InvalidInput("print joins with text")
        out((sep.join(str(value)[:_MOST_PRINTED_AT_ONCE] for value in values) + end)[:_MOST_PRINTED_AT_ONCE])

    return call


def importer(modules: Mapping[str, Any], reached: Callable[[Any, str], Any]) -> Callable[[str, str | None], Any]:
    """What an import statement becomes."""

    def find(module: str, name: str | None) -> Any:
        why = imports.refused(module, name)
        if why:
            raise InvalidInput(why)
        return modules[module] if name is None else reached(modules[module], name)

    return find
