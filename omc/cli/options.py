"""Options that every command has."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import running
from omc.cli.platform import Platform

DEFAULT_URL = "http://127.0.0.1:8000"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
Home = Annotated[Path, typer.Option(envvar="OMC_HOME", help="The folder in which the platform keeps what it owns.")]
Url = Annotated[
    str | None, typer.Option(envvar="OMC_URL", help="Where the platform answers; as the home says, when not given.")
]
DEFAULT_HOME = Path("~/.omc")


def platform(home: Path, url: str | None) -> Platform:
    """The platform that a command is about."""
    folder = absolute(home)
    return Platform(url or running.url(folder) or DEFAULT_URL, folder, token=os.environ.get("OMC_TOKEN"))


def absolute(path: Path) -> Path:
    """As the platform itself will name it, from whatever folder it is started."""
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - links are kept as they are


def command_line(**options: Any) -> list[str]:
    """`--name value` for each option that is given; a flag for True, once for each of a list."""
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is True:
                words.append(flag)
            elif each is not None and each is not False:
                words += [flag, str(each)]
    return words


def coins_of(text: str) -> list[str]:
    """Tickers between commas."""
    return [coin.strip().upper() for coin in text.split(",") if coin.strip()]


def settled(value: Any) -> Any:
    """An amount of eight decimals without the zeros that say nothing; anything else as it is."""
    if isinstance(value, str) and value.count(".") == 1 and value.replace(".", "").lstrip("-").isdigit():
        whole, part = value.split(".")
        return f"{whole}.{part.rstrip('0'):0<2}"
    return value
