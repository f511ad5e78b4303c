"""Whether code has anywhere to keep something from one decision to the next, beside the algorithm made for it.

A decision that must not depend on those before it is made by code that was run anew, unless there is no such place:
guards let nobody write to a class, a function or a library, so what is left are mutable values of the module's and of
classes' own names, defaults of arguments, and chance. Whatever is not known to be none of these counts as one.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping

_MAKERS: Mapping[str, str | None] = {
    "field": "dataclasses",
    "whole": "omc.strategy.parameter",
    "real": "omc.strategy.parameter",
    "stop": "omc.strategy.exit_parameters",
    "trail": "omc.strategy.exit_parameters",
    "target": "omc.strategy.exit_parameters",
}
"""What a class may call for its fields, and where that comes from."""
_DECORATORS: Mapping[str, str | None] = {
    "dataclass": "dataclasses",
    "abstractmethod": "abc",
    "njit": "numba",
    "jit": "numba",
    "property": None,
    "staticmethod": None,
    "classmethod": None,
}
_CHANCE = "random"
_HARMLESS = (
    ast.Constant,
    ast.Name,
    ast.Attribute,
    ast.Tuple,
    ast.UnaryOp,
    ast.BinOp,
    ast.unaryop,
    ast.operator,
    ast.expr_context,
)
_IN_ANNOTATIONS = (*_HARMLESS, ast.Subscript, ast.List)


def keeps(tree: ast.Module) -> bool:
    """False only where code surely has no such place."""
    looked = _Look(tree)
    return not looked.harmless_body(tree.body)


class _Look:
    def __init__(self, tree: ast.Module) -> None:
        self._imported: dict[str, str] = {}
        self._modules: set[str] = set()
        self._bound: Counter[str] = Counter()
        self._sound = True
        for node in ast.walk(tree):
            match node:
                case ast.Import(names):
                    self._sound &= all(each.name.partition(".")[0] != _CHANCE for each in names)
                    self._bound.update(each.asname or each.name.partition(".")[0] for each in names)
                    self._modules |= {each.name for each in names if each.asname is None}
                case ast.ImportFrom(module, names):
                    self._sound &= (module or "").partition(".")[0] != _CHANCE
                    for each in names:
                        self._bound[each.asname or each.name] += 1
                        if each.asname is None:
                            self._imported[each.name] = module or ""
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    self._bound[name] += 1
                case ast.Name(name, ast.Store()):
                    self._bound[name] += 1
                case ast.Global() | ast.AsyncFunctionDef():
                    self._sound = False

    def harmless_body(self, body: Iterable[ast.stmt]) -> bool:
        return self._sound and all(map(self._harmless, body))

    def _harmless(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(ast.Constant()):
                return True
            case ast.Assign(targets, value):
                return all(_only(each, (ast.Name, ast.Tuple, ast.Store)) for each in targets) and self._value(value)
            case ast.AnnAssign(ast.Name(), annotation, value):
                return _only(annotation, _IN_ANNOTATIONS) and (value is None or self._value(value))
            case ast.FunctionDef():
                return self._function(statement)
            case ast.ClassDef(bases=bases, keywords=[], decorator_list=decorators, body=body):
                named = all(_only(each, _IN_ANNOTATIONS) for each in bases) and all(map(self._decorator, decorators))
                return named and all(map(self._harmless, body))
            case _:
                return False

    def _value(self, value: ast.expr) -> bool:
        match value:
            case ast.Call(ast.Name(name), args, keywords):
                given = [*args, *(each.value for each in keywords)]
                return self._comes_from(name, _MAKERS) and all(_only(each, _HARMLESS) for each in given)
            case _:
                return _only(value, _HARMLESS)

    def _function(self, function: ast.FunctionDef) -> bool:
        arguments = function.args
        defaults = [*arguments.defaults, *(each for each in arguments.kw_defaults if each is not None)]
        annotated = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        notes = [*(each.annotation for each in annotated if each is not None), function.returns]
        return (
            all(_only(each, _HARMLESS) for each in defaults)
            and all(each is None or _only(each, _IN_ANNOTATIONS) for each in notes)
            and all(map(self._decorator, function.decorator_list))
        )

    def _decorator(self, decorator: ast.expr) -> bool:
        match decorator:
            case ast.Name(name):
                return self._comes_from(name, _DECORATORS)
            case ast.Attribute(ast.Name(module), name):
                return _DECORATORS.get(name) == module and self._bound[module] == 1 and module in self._modules
            case ast.Call(called, [], keywords) if not isinstance(called, ast.Call):
                return self._decorator(called) and all(_only(each.value, _HARMLESS) for each in keywords)
            case _:
                return False

    def _comes_from(self, name: str, known: Mapping[str, str | None]) -> bool:
        """Whether it is what it is called."""
        if name not in known:
            return False
        home = known[name]
        return not self._bound[name] if home is None else self._bound[name] == 1 and self._imported.get(name) == home


def _only(expression: ast.expr, kinds: tuple[type[ast.AST], ...]) -> bool:
    return all(isinstance(each, kinds) for each in ast.walk(expression))
