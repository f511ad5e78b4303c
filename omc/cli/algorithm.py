"""Algorithms: what there is to begin with, one's own, their versions, and what is wrong with them."""

import json as json_module
from typing import Annotated, Any

import typer

from omc.cli import code as own_code
from omc.cli import named, show
from omc.cli.code import Code
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, platform
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform
from omc.cli.window import Algorithm, Parameters, TriedWith, an_object, given

commands = typer.Typer()
algorithms = typer.Typer(help="Make, change and list algorithms.", no_args_is_help=True)
commands.add_typer(algorithms, name="algorithm")

CUSTOM = "custom"
"""The type of code of one's own."""

Description = Annotated[str | None, typer.Option(help="What it is for.")]
Source = Annotated[bool, typer.Option("--source", help="Print its code, and nothing else.")]


@commands.command()
def templates(
    type_: Annotated[str | None, typer.Argument(metavar="[TYPE]", help="Only this one.")] = None,
    source: Source = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """The algorithms that ship with the platform; --source prints one to copy from."""
    if source and type_ is None:
        raise Failure("say of which: `omc templates TYPE --source`", ExitCode.USAGE, code="USAGE")
    with platform(home, url) as there:
        rows = list(there.everything("/lab/templates"))
    known = ", ".join(row["algorithm_type"] for row in rows)
    rows = [row for row in rows if type_ in (None, row["algorithm_type"])]
    if not rows:
        raise Failure(f"there is no template {type_!r}; there are {known}", ExitCode.REFUSED, code="NOT_FOUND")
    if source and not json:
        show.text(rows[0]["source"])
        return
    if json:
        show.as_json(rows if type_ is None else rows[0])
        return
    shown = [(row["algorithm_type"], row["description"], json_module.dumps(row["parameters"])) for row in rows]
    show.table("templates", ("type", "description", "parameters"), shown)


@algorithms.command()
def create(
    name: str,
    type_: Annotated[str | None, typer.Option("--type", help="A built-in algorithm: see `omc templates`.")] = None,
    code: Code = None,
    parameters: Parameters = "{}",
    description: Description = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make an algorithm of a built-in one or of code of your own: a draft, to be proven."""
    if (type_ is None) == (code is None):
        raise Failure(
            "an algorithm is made of a --type that ships with the platform, or of --code", ExitCode.USAGE, code="USAGE"
        )
    body: dict[str, Any] = {"name": name, "parameters": an_object(parameters), "description": description}
    body |= {"algorithm_type": type_} if code is None else {"algorithm_type": CUSTOM, "code": own_code.read(code)}
    with platform(home, url) as there, there.patiently("reading the code"):
        made = there.post("/lab/algorithms", body)
    show.as_json(made) if json else show.line(f"{made['name']} is a {made['status']}: {made['id']}")


@algorithms.command()
def edit(
    algorithm: Algorithm,
    code: Code = None,
    parameters: Annotated[str | None, typer.Option(help="A JSON object; those not named get their defaults.")] = None,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    description: Description = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Change an algorithm. New code or parameters make a new version, which is a draft again."""
    body = given(
        name=name,
        description=description,
        code=None if code is None else own_code.read(code),
        parameters=None if parameters is None else an_object(parameters),
    )
    if not body:
        raise Failure("nothing is to be changed: say --code, --parameters, --name or --description", ExitCode.USAGE)
    with platform(home, url) as there, there.patiently("reading the code"):
        made = there.put(f"/lab/algorithms/{named.algorithm(there, algorithm)}", body)
    _changed(made, json)


@algorithms.command("list")
def list_(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Your algorithms."""
    with platform(home, url) as there:
        rows = list(there.everything("/lab/algorithms"))
        if json:
            show.as_json(rows)
            return
        columns = ("id", "name", "algorithm_type", "status", "version")
        show.table("algorithms", columns, [[row[name] for name in columns] for row in rows])


@algorithms.command("show")
def show_(
    algorithm: Algorithm,
    version: Annotated[int | None, typer.Option(help="What it was in this version.")] = None,
    source: Source = False,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """An algorithm with its parameters; --source prints its code."""
    with platform(home, url) as there:
        path = f"/lab/algorithms/{named.algorithm(there, algorithm)}"
        found = there.get(path if version is None else f"{path}/versions/{version}")
    if json:
        show.as_json(found)
    elif source:
        if found["code"] is None:
            raise Failure("it has no code of its own: see `omc templates TYPE --source`", ExitCode.REFUSED)
        show.text(found["code"])
    else:
        code = "–" if found["code"] is None else f"{len(found['code'].splitlines())} lines"
        shown = {**found, "parameters": json_module.dumps(found["parameters"]), "code": code}
        show.facts("", {name: value for name, value in shown.items() if value is not None})


@algorithms.command()
def versions(algorithm: Algorithm, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What an algorithm was, newest first."""
    with platform(home, url) as there:
        rows = list(there.everything(f"/lab/algorithms/{named.algorithm(there, algorithm)}/versions"))
    if json:
        show.as_json(rows)
        return
    shown = [
        (row["version"], row["created_at"], row["content_hash"][:12], json_module.dumps(row["parameters"]))
        for row in rows
    ]
    show.table("versions", ("version", "made", "content", "parameters"), shown)


@algorithms.command()
def restore(
    algorithm: Algorithm,
    version: Annotated[int, typer.Argument(help="Its number: see `omc algorithm versions`.")],
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Make what a version was the newest version again, as a draft."""
    with platform(home, url) as there, there.patiently("reading the code"):
        path = f"/lab/algorithms/{named.algorithm(there, algorithm)}/versions/{version}/restore"
        made = there.post(path)
    _changed(made, json)


@algorithms.command()
def delete(algorithm: Algorithm, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """Delete an algorithm with its versions, backtests and sweeps; refused while a deployment of it is not over."""
    with platform(home, url) as there:
        which = named.algorithm(there, algorithm)
        there.delete(f"/lab/algorithms/{which}")
    show.as_json({"id": which}) if json else show.line(f"deleted {which}")


@commands.command()
def validate(
    algorithm: Algorithm, model: TriedWith = None, home: Home = DEFAULT_HOME, url: Url = None, json: Json = False
) -> None:
    """Everything that is wrong with an algorithm: with its code, by line, and with what it promises."""
    with platform(home, url) as there:
        record = there.get(f"/lab/algorithms/{named.algorithm(there, algorithm)}")
        checked = checked_of(there, record["id"], model)
    found = checked["findings"]
    if not checked["valid"]:
        if not json:
            own_code.findings(found, record["code"], record["name"])
        raise Failure(own_code.counted(found), code="NOT_VALID", details=checked)
    show.as_json(checked) if json else show.line("nothing found: it keeps its contract and does not look ahead")


def checked_of(there: Platform, algorithm_id: str, model: str | None = None) -> Any:
    with there.patiently("trying it out"):
        return there.post(f"/lab/algorithms/{algorithm_id}/validate", **given(model_id=model))


def _changed(made: dict[str, Any], json: bool) -> None:
    show.as_json(made) if json else show.line(f"{made['name']} is version {made['version']}, a {made['status']}")
