"""Writes the client's models and methods from the merged document.

`python -m cluster.client_code` writes `omc/client/models.py` and `omc/client/operations.py`; with `--check` it only
says whether they are what it would write.
"""

import argparse
import keyword
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cluster.serving import Serving
from cluster.wiring import wiring
from serve_apps.openapi import operations

ROOT = Path(__file__).parents[1]
_HEAD = '"""{what}, written by `make client` from the merged document: change that instead."""\n\n'
_MONEY = (r"^-?[0-9]+\.[0-9]{8}$", r"^[0-9]{1,12}(\.[0-9]{1,8})?$")
_FORMATS = {"uuid": "UUID", "date-time": "datetime", "date": "date"}
# What is one thing of several kinds.
_TOGETHER = {("Amount", "int"): "Amount", ("datetime", "date"): "Bound"}
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(prog="python -m cluster.client_code", description=__doc__)
    options.add_argument("--check", action="store_true")
    check = options.parse_args(arguments).check
    stale = []
    for name, text in files(document()).items():
        path = ROOT / "omc" / "client" / name
        if check and (not path.exists() or path.read_text() != text):
            stale.append(name)
        elif not check:
            path.write_text(text)
    if stale:
        sys.stderr.write(f"omc/client is not what the document says: {', '.join(stale)}; run `make client`\n")
    return 1 if stale else 0


def document() -> dict[str, Any]:
    """The merged document. Nothing that would answer a request is started."""
    with tempfile.TemporaryDirectory() as home:
        return Serving(wiring(home=Path(home)), "http://127.0.0.1:1", "127.0.0.1:1").document()


def files(described: Mapping[str, Any]) -> dict[str, str]:
    """The text of each generated file, by its name."""
    return {"models.py": _formatted(_models(described)), "operations.py": _formatted(_methods(described))}


def _formatted(text: str) -> str:
    ruff = str(Path(sys.executable).with_name("ruff"))
    told = ("--quiet", "--config", str(ROOT / "pyproject.toml"), "--stdin-filename", str(ROOT / "omc/client/x.py"), "-")
    for command in (("check", "--fix-only", "--select", "F401,I"), ("format",)):
        asked = [ruff, *command, *told]
        text = subprocess.run(asked, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603 ours
    return text


# Models


def _models(described: Mapping[str, Any]) -> str:
    schemas = described["components"]["schemas"]
    lines = [
        _HEAD.format(what="What is sent and what is answered"),
        "from datetime import date, datetime\nfrom decimal import Decimal\n",
        "from typing import Any, Literal\nfrom uuid import UUID\n\n",
        "from pydantic import Field\n\nfrom omc.client.answers import Amount, Bound, Model\n\n\n",
    ]
    known = [name for name in schemas if not name.startswith(_WRAPPERS) and "__Success_" not in name]
    ordered = dict.fromkeys(each for name in known for each in _needed(name, schemas))
    lines += [_model(_class(name), schemas[name]) for name in ordered if name not in ("Failure", "ErrorBody")]
    return "".join(lines)


def _needed(name: str, schemas: Mapping[str, Any], within: tuple[str, ...] = ()) -> Iterator[str]:
    """What a model is made of, and then itself."""
    for found in sorted(set(re.findall(r"'#/components/schemas/([^']+)'", repr(schemas[name])))):
        if found not in within:
            yield from _needed(found, schemas, (*within, name))
    yield name


_WRAPPERS = ("Page_", "Success_")


def _class(name: str) -> str:
    """Names that two apps have alike are told apart by the app."""
    parts = [re.sub(r"_(\w+)", r"Of\1", part.strip("_")) for part in re.split(r"__+", name) if part]
    return parts[0] if len(parts) == 1 else parts[1].capitalize() + parts[-1]


def _model(name: str, schema: Mapping[str, Any]) -> str:
    about = _said(schema.get("description", ""), "    ")
    text = [f"class {name}(Model):\n", *([f"    {about}\n\n"] if about else [])]
    required = schema.get("required", [])
    text += [f"    {_field(key, each, needed=key in required)}\n" for key, each in schema.get("properties", {}).items()]
    if not schema.get("properties") and not about:
        text.append("    pass\n")
    return "".join([*text, "\n\n"])


def _said(text: str, indent: str) -> str:
    """A docstring of `text`, at that indent."""
    if not text:
        return ""
    quotes, width = '"' * 3, 112 - len(indent)
    paragraphs = [" ".join(each.split()) for each in text.replace(quotes, "'" * 3).split("\n\n")]
    lines = [line for each in paragraphs for line in (*textwrap.wrap(each, width, break_long_words=False), "")][:-1]
    return "\n".join([f"{quotes}{lines[0]}", *(f"{indent}{line}".rstrip() for line in lines[1:])]) + quotes


def _field(name: str, schema: Mapping[str, Any], *, needed: bool) -> str:
    kind = type_of(schema)
    ours = f"{name}_" if keyword.iskeyword(name) else name
    alias = f'alias="{name}"' if ours != name else ""
    if needed:
        return f"{ours}: {kind}" + (f" = Field({alias})" if alias else "")
    default = schema.get("default")
    if default is None or isinstance(default, dict | list):
        kind = kind if "None" in kind.split(" | ") or kind == "Any" else f"{kind} | None"
        default = None
    written = f"Decimal({default!r})" if kind == "Amount" else repr(default)
    return f"{ours}: {kind} = " + (f"Field({written}, {alias})" if alias else written)


def type_of(schema: Mapping[str, Any]) -> str:
    """The Python type of what `schema` takes."""
    if "$ref" in schema:
        return _class(schema["$ref"].rpartition("/")[2])
    if "const" in schema or "enum" in schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        return f"Literal[{', '.join(repr(value) for value in values)}]"
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        kinds = list(dict.fromkeys(type_of(each) for each in choices))
        some = tuple(kind for kind in kinds if kind != "None")
        return " | ".join([*([_TOGETHER[some]] if some in _TOGETHER else some), *(["None"] if "None" in kinds else [])])
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}))}]"
        case "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
        case "string" if schema.get("pattern") in _MONEY:
            return "Amount"
        case "string":
            return _FORMATS.get(schema.get("format", ""), "str")
        case str(plain):
            return _PLAIN[plain]
        case _:
            return "Any"


# Methods


def _methods(described: Mapping[str, Any]) -> str:
    schemas = described["components"]["schemas"]
    names = [_class(name) for name in schemas if not name.startswith(_WRAPPERS) and "__Success_" not in name]
    found = sorted(operations(described), key=lambda each: each[2]["operationId"])
    body = "\n".join(_method(method, path, operation, schemas) for method, path, operation in found)
    used = [name for name in dict.fromkeys(names) if re.search(rf"\b{name}\b", body)]
    return "".join(
        [
            _HEAD.format(what="Every operation by its name"),
            "from datetime import date, datetime\nfrom typing import Any, Literal\nfrom uuid import UUID\n\n",
            "from omc.client.answers import Amount, Bound, Page\nfrom omc.client.caller import Caller, new_key\n",
            f"from omc.client.models import {', '.join(used)}\n\n\n",
            'class Operations(Caller):\n    """The platform, an operation a method."""\n\n',
            body,
        ]
    )


def _method(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    shape = _answer(operation, schemas)
    named, asked = list(_named(operation)), list(_asked(operation, shape))
    body, needed = _body(operation)
    headers = {each["name"] for each in operation.get("parameters", []) if each["in"] == "header"}
    keyed, coded = "Idempotency-Key" in headers, "X-Second-Factor" in headers
    arguments = ["self", *(f"{name}: {kind}" for name, kind in named)]
    if body:
        arguments.append(f"body: {body}" if needed else f"body: {body} | None = None")
    if asked or keyed or coded:
        arguments.append("*")
        arguments += [f"{name}: {kind}" for name, kind, _ in asked]
        arguments += ["key: str | None = None"] if keyed else []
        arguments += ["code: str | None = None"] if coded else []
    where = re.sub(r"\{(\w+)[^}]*\}", r"{\1}", path.removeprefix("/api/v1"))
    sent = [shape, repr(method), f'f"{where}"' if named else f'"{where}"']
    if asked:
        sent.append("query={" + ", ".join(f'"{wire}": {name}' for name, _, wire in asked) + "}")
    sent += ["body=body"] if body else []
    sent += ["signed=False"] if "security" not in operation else []
    sent += ["key=key or new_key()"] if keyed else []
    sent += ["code=code"] if coded else []
    about = _said(str(operation.get("description", "")), " " * 8)
    typed = f"found: {shape} = self._ask({', '.join(sent)})\n        return found"
    done = f"self._ask({', '.join(sent)})" if shape == "None" else typed
    return f"    def {operation['operationId']}({', '.join(arguments)}) -> {shape}:\n        {about}\n        {done}\n"


def _named(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            kind = type_of(each["schema"])
            yield each["name"], "UUID | str" if kind == "UUID" else kind


def _asked(operation: Mapping[str, Any], shape: str) -> Iterator[tuple[str, str, str]]:
    """The query: names, types with their defaults, and names as they are sent. Files are not what a typed method
    answers with, so it does not ask for their format."""
    for each in sorted(operation.get("parameters", []), key=lambda found: not found.get("required")):
        if each["in"] != "query" or (each["name"] == "format" and shape != "str"):
            continue
        name = f"{each['name']}_" if keyword.iskeyword(each["name"]) else each["name"]
        kind = type_of(each["schema"])
        optional = kind if "None" in kind.split(" | ") else f"{kind} | None"
        yield name, kind if each.get("required") else f"{optional} = None", each["name"]


def _body(operation: Mapping[str, Any]) -> tuple[str, bool]:
    described = operation.get("requestBody")
    if described is None:
        return "", False
    kind = type_of(described["content"]["application/json"]["schema"])
    return kind.removesuffix(" | None"), bool(described.get("required"))


def _answer(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """What a method answers with: the data of one thing, a page, or a text."""
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if status.startswith("2") and content:
            return _shape(content["application/json"]["schema"], schemas) if "application/json" in content else "str"
    return "None"


def _shape(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_shape(each, schemas) for each in schema["anyOf"])
    if "$ref" not in schema:
        return type_of(schema)
    name = schema["$ref"].rpartition("/")[2]
    properties = schemas[name].get("properties", {})
    if name.startswith("Page_") or "__Page_" in name:
        return f"Page[{type_of(properties['items']['items'])}]"
    if name.startswith("Success_") or "__Success_" in name:
        return type_of(properties["data"])
    return _class(name)


if __name__ == "__main__":
    sys.exit(main())
