"""What code may say: RestrictedPython's transformer, taught where each refusal stands and how to run ordinary code.

Statements, functions, classes and patterns; what stands inside them is in `expressions.py`.
"""
# ruff: noqa: N802, N815 (the methods are called after the nodes that they visit)

import ast
from collections.abc import Iterable
from typing import Any

from omc.strategy.sandbox import imports
from omc.strategy.sandbox.expressions import Expressions, call, placed

_PLAIN_TYPES = frozenset({"int", "float", "bool", "str"})


class Policy(Expressions):
    """Transforms a tree in place; what it refuses is in `findings`."""

    # Functions, classes and annotations

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.check_name(node, node.name, allow_magic_methods=True)
        self.bound.add(node.name)
        # Their names would be bound unseen, a guard's among them, and their bounds run as they are.
        if getattr(node, "type_params", None):
            self.error(node, "a function takes no type parameters", "function")
        node.returns = None
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        self._arguments(node)
        self.scopes.append("function")
        node.body = self._statements(node.body)
        self.scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._arguments(node)
        node.body = self.visit(node.body)
        return node

    def _arguments(self, node: ast.FunctionDef | ast.Lambda) -> None:
        given = node.args
        for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg):
            if each is not None:
                self.bind(each, each.arg)
                each.annotation = None
        node.args = self.node_contents_visit(given)

    def _statements(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for each in body:
            found = self.visit(each)
            made.extend(found if isinstance(found, list) else [found])
        return made

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.bind(node, node.name)
        if node.keywords:
            self.error(node, "a class takes no keyword arguments such as metaclass", "class")
        if getattr(node, "type_params", None):
            self.error(node, "a class takes no type parameters", "class")
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.bases = [self.visit(each) for each in node.bases]
        self.scopes.append("class")
        node.body = self._statements(node.body)
        self.scopes.pop()
        node.keywords = [ast.keyword("metaclass", ast.Name("__metaclass__", ast.Load()))]
        return placed(node, node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        field = self.scopes[-1] == "class" and isinstance(node.target, ast.Name)
        kind = _kind(node.annotation) if field else None
        node.target = self.visit(node.target)
        if node.value is not None:
            node.value = self.visit(node.value)
        if kind is not None:
            node.annotation = ast.Name(kind, ast.Load())
            return placed(node, node)
        return placed(ast.Pass() if node.value is None else ast.Assign([node.target], node.value), node)

    # Statements

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = self._statements(node.body)
        return node

    def visit_Import(self, node: ast.Import) -> Any:
        made = []
        for each in node.names:
            why = imports.refused(each.name)
            # Without `as`, the first part of the name is bound, so it has to be something that exists here.
            module = each.name if each.asname else each.name.split(".")[0]
            why = why or imports.refused(module)
            if why:
                self.error(node, why, "import")
            name = each.asname or module
            self.bind(node, name)
            made.append(placed(ast.Assign([ast.Name(name, ast.Store())], _imported(node, module, None)), node))
        return made

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        made: list[ast.stmt] = []
        for each in node.names:
            why = "imports name a module in full" if node.level or not node.module else None
            if each.name == "*":
                why = why or "import the names that are needed, not *"
            why = why or imports.refused(node.module or "", each.name)
            if why:
                self.error(node, why, "import")
                continue
            name = each.asname or each.name
            self.bind(node, name)
            value = _imported(node, node.module or "", each.name)
            made.append(placed(ast.Assign([ast.Name(name, ast.Store())], value), node))
        return made or placed(ast.Pass(), node)

    def visit_With(self, node: ast.With) -> ast.AST:
        for item in node.items:
            item.context_expr = call(item.context_expr, "_context_", self.visit(item.context_expr))
            if item.optional_vars is not None:
                if not isinstance(item.optional_vars, ast.Name):
                    self.error(node, "a with statement binds one plain name", "statement")
                item.optional_vars = self.visit(item.optional_vars)
        node.body = self._statements(node.body)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        for left in _leaving(node.finalbody):
            self.error(left, "leaving from finally would swallow the end that a deadline makes", "statement")
        return self.node_contents_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        if node.type is None:
            self.error(node, "except catches nothing in particular: write except Exception", "statement")
        self.bind(node, node.name)
        if node.type is not None:
            node.type = call(node.type, "_caught_", self.visit(node.type))
        node.body = self._statements(node.body)
        return node

    # Patterns: those that look at nothing but what is matched

    def visit_Match(self, node: Any) -> ast.AST:
        return self.node_contents_visit(node)

    visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = visit_Match

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        if any(isinstance(each, ast.Attribute) for each in ast.walk(node.value)):
            self.error(node, "a pattern with a dot reads an attribute: compare with == instead", "pattern")
        return node

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> ast.AST:
        self.bind(node, node.name)
        return self.node_contents_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        self.bind(node, node.rest)
        if not all(isinstance(key, ast.Constant) for key in node.keys):
            self.error(node, "the keys of a pattern are written out", "pattern")
        node.patterns = [self.visit(each) for each in node.patterns]
        return node

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        plain = isinstance(node.cls, ast.Name) and node.cls.id in _PLAIN_TYPES
        if not plain or node.kwd_attrs or len(node.patterns) > 1:
            self.error(node, "a pattern may ask for int, float, bool or str, and for no attributes", "pattern")
        else:
            # `int` must be Python's own, which a name of the code's own could hide.
            node.cls = placed(ast.Name(f"_{node.cls.id}_", ast.Load()), node)  # type: ignore[attr-defined]
        node.patterns = [self.visit(each) for each in node.patterns]
        return node


def _imported(place: ast.AST, module: str, name: str | None) -> ast.Call:
    return call(place, "_import_", ast.Constant(module), ast.Constant(name))


def _kind(annotation: ast.expr) -> str:
    """A guard's name in place of an annotation: all that a dataclass, and a description of parameters, look at."""
    head = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    said = ast.unparse(head).rsplit(".", 1)[-1].strip("'\"").split("[")[0]
    if said in {"ClassVar", "KW_ONLY"} or said in _PLAIN_TYPES:
        return f"_{said}_"
    return "_object_"


def _leaving(body: Iterable[ast.stmt]) -> list[ast.AST]:
    return [each for stmt in body for each in ast.walk(stmt) if isinstance(each, ast.Return | ast.Break | ast.Continue)]
