"""Python's own names: which of them code may use, and why not the others."""

EXCEPTIONS = frozenset(
    [
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "Exception",
        "FloatingPointError",
        "IndexError",
        "KeyError",
        "LookupError",
        "NameError",
        "NotImplementedError",
        "OverflowError",
        "RecursionError",
        "RuntimeError",
        "StopIteration",
        "TypeError",
        "ValueError",
        "ZeroDivisionError",
    ]
)
PLAIN = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "callable",
        "chr",
        "complex",
        "dict",
        "divmod",
        "enumerate",
        "filter",
        "float",
        "frozenset",
        "int",
        "iter",
        "len",
        "list",
        "map",
        "max",
        "min",
        "next",
        "object",
        "ord",
        "property",
        "classmethod",
        "range",
        "repr",
        "reversed",
        "set",
        "slice",
        "sorted",
        "staticmethod",
        "str",
        "sum",
        "tuple",
        "zip",
        "Ellipsis",
        "NotImplemented",
    ]
)
"""As Python has them."""
GUARDED = frozenset(["getattr", "hasattr", "hash", "isinstance", "issubclass", "pow", "print", "round", "type"])
"""In a form that keeps the rules."""
OFFERED = EXCEPTIONS | PLAIN | GUARDED

_FILES = "an algorithm reads and writes no files"
_NEW_CODE = "code must not make code"
_NAMESPACES = "names are used directly, not looked up"
_DEADLINE = "only Exception and what is below it can be caught, so that a deadline always ends the code"
_BITS = "memory is not looked at byte by byte"
REFUSED = {
    "open": _FILES,
    "eval": _NEW_CODE,
    "exec": _NEW_CODE,
    "compile": _NEW_CODE,
    "__import__": "write an import statement",
    "globals": _NAMESPACES,
    "locals": _NAMESPACES,
    "vars": _NAMESPACES,
    "dir": _NAMESPACES,
    "id": "addresses are nobody's business",
    "super": "call the method of a class by its name, or override only what the platform says may be",
    "setattr": "assign with a dot",
    "delattr": "delete with a dot",
    "input": "nobody is there to answer",
    "breakpoint": "nobody is there to look",
    "help": "nobody is there to read it",
    "exit": "return instead",
    "quit": "return instead",
    "bytes": _BITS,
    "bytearray": _BITS,
    "memoryview": _BITS,
    "format": "use an f-string",
    "ascii": "use repr",
    "aiter": "nothing here is asynchronous",
    "anext": "nothing here is asynchronous",
    "BaseException": _DEADLINE,
    "BaseExceptionGroup": _DEADLINE,
    "SystemExit": _DEADLINE,
    "KeyboardInterrupt": _DEADLINE,
    "GeneratorExit": _DEADLINE,
}
SPECIAL_METHODS = frozenset(
    [
        "__init__",
        "__post_init__",
        "__call__",
        "__len__",
        "__repr__",
        "__str__",
        "__iter__",
        "__getitem__",
        "__setitem__",
        "__contains__",
    ]
)
"""What a class may define of the methods that Python itself calls. The rest would run in places that guard others."""
