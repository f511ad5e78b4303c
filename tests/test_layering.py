"""Who may import whom: the walls of the house, held by an AST walk over every import."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELLS = {"actors", "serve_apps", "tune_jobs", "cluster"}
CORE = {"numpy", "numba", "pandas", "sklearn", "xgboost", "pydantic"}
# A part of the core that may import one library more.
ALSO = {
    "omc/settings.py": "pydantic_settings",
    "omc/backtest/tearsheet": "plotly",
    "omc/lab/graph": "langgraph",
    "omc/strategy/sandbox": "RestrictedPython",
    "omc/strategy/sandbox/estimator_file.py": "skops",
}
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "time_ns"}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it, as `omc.market.quote` whether by import or from."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom(level=level) if level:
                yield f"a relative import on line {node.lineno}"


def within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def is_core(path: Path) -> bool:
    apart = {"adapters", "cli", "client"}
    return path.is_relative_to(ROOT / "omc") and path.relative_to(ROOT / "omc").parts[0] not in apart


def allowed(path: Path, module: str) -> bool:
    """Whether the file at `path` may import `module`."""
    top = module.split(".")[0]
    if top in sys.stdlib_module_names:
        return True
    place = path.relative_to(ROOT).as_posix()
    if within(module, "omc.settings"):
        return place == "cluster/wiring.py"
    core = within(module, "omc") and not within(module, "omc.adapters", "omc.cli", "omc.client")
    match place.split("/"):
        case ["omc", "cli", *_]:
            spoken = within(module, "omc.client.transport", "omc.client.errors")
            return top in {"typer", "rich", "httpx"} or spoken or within(module, "omc.cli", "omc.__version__")
        case ["omc", "client", *_]:
            return top in {"httpx", "pydantic"} or within(module, "omc.client")
        case ["omc", "adapters", *_]:
            return (top != "ray" and top not in SHELLS) and not within(module, "omc.cli", "omc.client")
        case ["omc", *_]:
            extra = {library for prefix, library in ALSO.items() if place.startswith(prefix)}
            return core or top in CORE | extra
        case ["actors", *_]:
            return core or top in {"actors", "ray", "numpy"}
        case ["tune_jobs", *_]:
            return core or top in {"tune_jobs", "ray", "numpy", "optuna"}
        case ["serve_apps", *_]:
            return (
                core
                or top in {"serve_apps", "fastapi", "starlette", "pydantic", "numpy"}
                or within(module, "actors.address", "actors.handle", "ray.serve")
                or module == "ray.serve"
            )
        case _:
            return True


@pytest.mark.parametrize("path", sources("omc", *SHELLS), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_folder_may(path):
    assert [module for module in imports(path) if not allowed(path, module)] == []


@pytest.mark.parametrize("path", list(filter(is_core, sources("omc"))), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_never_asks_what_time_it_is(path):
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    asked = [
        f"line {call.lineno}: {ast.unparse(call.func)}()"
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in CLOCKS
        and ast.unparse(call.func.value) in {"datetime", "datetime.datetime", "date", "time"}
    ]
    assert asked == []


def test_settings_are_read_in_one_place():
    readers = [path for path in sources("omc", *SHELLS) if any(within(m, "omc.settings") for m in imports(path))]
    assert [path.relative_to(ROOT).as_posix() for path in readers] in ([], ["cluster/wiring.py"])


def test_stored_models_are_read_in_one_place_which_only_a_sandbox_asks():
    files = "omc.strategy.sandbox.model_file", "omc.strategy.sandbox.estimator_file"
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in sources("omc", *SHELLS)
        if any(within(module, "skops", "joblib", *files) for module in imports(path))
    ]
    assert readers == [
        "omc/adapters/sandbox_process/warm.py",
        "omc/strategy/sandbox/confined.py",
        "omc/strategy/sandbox/estimator_file.py",
        "omc/strategy/sandbox/model_file.py",
    ]


def test_the_floor_and_the_lab_know_nothing_of_each_other():
    apps = {"floor": "serve_apps.lab", "lab": "serve_apps.floor"}
    met = [
        path.relative_to(ROOT).as_posix()
        for app, other in apps.items()
        for path in sources(f"serve_apps/{app}")
        if any(within(module, other) for module in imports(path))
    ]
    assert met == []


def test_every_shell_is_a_package_and_no_test_folder_is():
    packages = {path.parent for path in sources(*SHELLS)}
    assert [str(folder) for folder in packages if not (folder / "__init__.py").exists()] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []
