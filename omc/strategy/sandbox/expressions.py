"""What code may say inside a statement: names, attributes, items, operators.

Every read of an attribute, every subscript, every write and every operation that can make something huge out of little
becomes a call of a guard; the guards' names begin and end with an underscore, and code can bind no such name.
"""
# ruff: noqa: N802, N815 (the methods are called after the nodes that they visit)

import ast
import re
from typing import Any

from RestrictedPython.transformer import (
    INSPECT_ATTRIBUTES,
    IOPERATOR_TO_STR,
    RestrictingNodeTransformer,
    copy_locations,
)

from omc.strategy.sandbox.finding import Finding
from omc.strategy.sandbox.offered import SPECIAL_METHODS

_RESERVED = re.compile(r"_.*_|_tmp\d*|_print|_typ|_mgr|_values|_constructor")
"""The guards' names, RestrictedPython's own, and those by which pandas takes a value for one of its own."""
_GUARDED_OPERATORS = {ast.Mult: "_times_", ast.Pow: "_power_", ast.LShift: "_shifted_", ast.Mod: "_modulo_"}
_PLAIN_TYPES = frozenset(["int", "float", "bool", "str"])


class Expressions(RestrictingNodeTransformer):
    """Transforms a tree in place; what it refuses is in `findings`."""

    def __init__(self) -> None:
        super().__init__()
        self.findings: list[Finding] = []
        self.bound: set[str] = set()
        self.read: dict[str, ast.Name] = {}
        """Where each name is read first."""
        self.scopes = ["module"]

    def error(self, node: ast.AST, info: str, rule: str = "policy") -> None:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        self.findings.append(Finding(line, column, rule, info[:1].lower() + info[1:].rstrip(".")))

    def not_allowed(self, node: ast.AST) -> None:
        what = {"TryStar": "except*", "Global": "global"}.get(type(node).__name__, type(node).__name__)
        self.error(node, f"{what} is not part of what algorithms may be written in", "statement")

    # Names

    def check_name(self, node: Any, name: str | None, allow_magic_methods: bool = False) -> None:
        if name is None or name == "_":
            return
        if allow_magic_methods and name in SPECIAL_METHODS and self.scopes[-1] == "class":
            return
        if name.startswith("__") or _RESERVED.fullmatch(name):
            self.error(node, f'"{name}" is a name that only Python and the platform use', "name")

    def bind(self, node: ast.AST, name: str | None) -> None:
        self.check_name(node, name)
        if name is not None:
            self.bound.add(name)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load):
            self.read.setdefault(node.id, node)
            self.check_name(node, node.id)
        else:
            self.bind(node, node.id)
        return node

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> ast.AST:
        for name in node.names:
            self.bind(node, name)
        return node

    visit_Nonlocal = visit_Global

    # Unpacking and looping show what a value holds to those who hold it already, so they run as they are.

    def guard_iter(self, node: Any) -> Any:
        if getattr(node, "is_async", 0):
            self.error(node.target, "nothing here is asynchronous", "statement")
        return self.node_contents_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        return self.node_contents_visit(node)

    # Attributes, items and what is done in place

    def _checked_attribute(self, node: ast.Attribute) -> None:
        name = node.attr
        if name.startswith("__") or (name != "_" and _RESERVED.fullmatch(name)):
            self.error(node, f'"{name}" is an attribute that only Python and the platform use', "attribute")
        elif name in INSPECT_ATTRIBUTES:
            self.error(node, f'"{name}" would show how code runs, which is not for code to see', "attribute")
        elif name in {"format", "format_map"}:
            self.error(node, f'"{name}" could look into anything that it prints: use an f-string', "attribute")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self._checked_attribute(node)
        node.value = self.visit(node.value)
        if isinstance(node.ctx, ast.Load):
            return call(node, "_getattr_", node.value, ast.Constant(node.attr))
        node.value = call(node.value, "_write_attribute_", node.value, ast.Constant(node.attr))
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        node.value, node.slice = self.visit(node.value), self.visit(node.slice)
        if isinstance(node.ctx, ast.Load):
            return call(node, "_getitem_", node.value, node.slice)
        node.value = call(node.value, "_write_item_", node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        operator = ast.Constant(IOPERATOR_TO_STR[type(node.op)])
        target = node.target
        if isinstance(target, ast.Name):
            self.bind(target, target.id)
            value = call(node, "_inplacevar_", operator, ast.Name(target.id, ast.Load()), self.visit(node.value))
            return placed(ast.Assign([target], value), node)
        if isinstance(target, ast.Attribute):
            self._checked_attribute(target)
            held = call(target, "_held_attribute_", self.visit(target.value), ast.Constant(target.attr))
        else:
            held = call(target, "_held_item_", self.visit(target.value), self.visit(target.slice))
        return placed(ast.Expr(call(node, "_augment_", held, operator, self.visit(node.value))), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        guard = _GUARDED_OPERATORS.get(type(node.op))
        harmless = any(isinstance(side, ast.Constant) and type(side.value) is float for side in (node.left, node.right))
        node = self.node_contents_visit(node)
        return call(node, guard, node.left, node.right) if guard and not harmless else node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.AST:
        spec = node.format_spec
        node = self.node_contents_visit(node)
        if isinstance(spec, ast.JoinedStr):
            node.format_spec = ast.JoinedStr([ast.FormattedValue(call(node, "_spec_", spec), -1, None)])
            copy_locations(node.format_spec, node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # A call with a star collects what was held anyway.
        return self.node_contents_visit(node)


def call(place: ast.AST, guard: str, *args: ast.expr) -> ast.Call:
    return placed(ast.Call(ast.Name(guard, ast.Load()), list(args), []), place)


def placed(made: Any, place: Any) -> Any:
    copy_locations(made, place)
    return made
