"""From what somebody sent to a syntax tree, or to the finding that says why there is none.

A compiler is a program with limits of its own: text that nests too deeply or numbers that are too long may end it by
running out of memory or stack. Whatever it comes to here is a finding.
"""

import ast
import warnings
from typing import Any

from omc.strategy.sandbox.finding import Finding

MOST_BYTES = 200_000
MOST_NODES = 60_000
MOST_DEPTH = 120
_MOST_BITS = 4_096
UNREADABLE = (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError)
"""What parsing and compiling raise about code that is none."""


def read(source: str | bytes) -> tuple[ast.Module | None, list[Finding]]:
    """The tree, or None and why."""
    text = _text(source)
    if isinstance(text, Finding):
        return None, [text]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except UNREADABLE as fault:
        return None, [told(fault)]
    found = _too_much(tree)
    return (None, [found]) if found else (tree, [])


def told(fault: Exception) -> Finding:
    """What Python refuses about code, one of UNREADABLE."""
    match fault:
        case SyntaxError():
            return Finding(fault.lineno or 1, max(fault.offset or 1, 1), "syntax", f"not Python: {fault.msg}")
        case RecursionError() | MemoryError():
            return Finding(1, 1, "nesting", "the code is nested too deeply to be compiled")
        case _:
            return Finding(1, 1, "syntax", f"not Python: {fault}")


def _text(source: str | bytes) -> str | Finding:
    text = _decoded(source) if isinstance(source, bytes) else source
    if isinstance(text, Finding):
        return text
    try:
        size = len(text.encode())
    except UnicodeEncodeError as fault:
        line, column = _place(text, fault.start)
        return Finding(line, column, "encoding", "half of a surrogate pair is not UTF-8 text")
    if size > MOST_BYTES:
        return _too_long(size)
    if "\0" in text:
        line, column = _place(text, text.index("\0"))
        return Finding(line, column, "encoding", "there is a NUL character in the code")
    return text.removeprefix("\ufeff")


def unreadable(text: str) -> Finding | None:
    """Why text cannot even be kept as code; None when it can, whether or not it is Python."""
    found = _text(text)
    return found if isinstance(found, Finding) else None


def _decoded(source: bytes) -> str | Finding:
    if len(source) > MOST_BYTES:
        return _too_long(len(source))
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = source[: fault.start]
        line, column = before.count(b"\n") + 1, fault.start - before.rfind(b"\n")
        return Finding(line, column, "encoding", f"byte 0x{source[fault.start]:02x} is not UTF-8 text")


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _too_long(size: int) -> Finding:
    return Finding(1, 1, "size", f"the code has {size:,} bytes; at most {MOST_BYTES:,} are taken")


def _too_much(tree: ast.Module) -> Finding | None:
    """Nothing recursive: this is what keeps the rest from recursing too deeply."""
    count, level, depth = 0, [tree], 0
    line = column = 1
    while level:
        count, depth = count + len(level), depth + 1
        if depth > MOST_DEPTH or count > MOST_NODES:
            what = "nested too deeply" if depth > MOST_DEPTH else "too long"
            return Finding(line, column, "nesting", f"the code is {what}")
        below: list[Any] = []
        for node in level:
            line, column = getattr(node, "lineno", line), getattr(node, "col_offset", column - 1) + 1
            if isinstance(node, ast.Constant) and type(node.value) is int and node.value.bit_length() > _MOST_BITS:
                return Finding(
                    line, column, "number", f"a whole number of {node.value.bit_length():,} bits is too long"
                )
            below.extend(ast.iter_child_nodes(node))
        level = below
    return None
