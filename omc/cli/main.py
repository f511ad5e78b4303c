"""The `omc` command: a client of the platform's HTTP API, and the way to start it."""

import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from omc.cli import (
    account,
    algorithm,
    audit,
    credentials,
    data,
    floor,
    keys,
    lab,
    models,
    orders,
    parameters,
    parity,
    reconcile,
    report,
    risk,
    search,
    second_factor,
    service,
    show,
    superuser,
    tax,
    tokens,
    triggers,
    venues,
    verbs,
)
from omc.cli.demo import command as demo
from omc.cli.outcome import ExitCode, Failure

app = typer.Typer(
    help="Oh My Coins: from a trading idea in the lab to orders on the floor.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for part in (
    demo,
    service,
    account,
    second_factor,
    tokens,
    algorithm,
    models,
    lab,
    search,
    report,
    data,
    floor,
    parameters,
    orders,
    triggers,
    risk,
    parity,
    venues,
    credentials,
    keys,
    audit,
    superuser,
    reconcile,
    verbs,
    tax,
):
    app.add_typer(part.commands)


def run(arguments: Sequence[str]) -> int:
    """Carry one command out; its exit code."""
    try:
        code = app(list(arguments), prog_name="omc", standalone_mode=False)
    except Failure as failure:
        _complain(str(failure), arguments, failure)
        return failure.exit_code
    except TyperException as fault:
        _complain(fault.format_message(), arguments)
        return fault.exit_code
    except OSError as fault:
        # A full disk behind stdout, as a rule: nothing more is said there.
        show.err.print(
            f"omc: {': '.join(filter(None, (fault.filename, fault.strerror)))}", markup=False, soft_wrap=True
        )
        return ExitCode.FAILED
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return code if isinstance(code, int) else 0


def main() -> None:
    sys.exit(run(sys.argv[1:]))


def _complain(message: str, arguments: Sequence[str], failure: Failure | None = None) -> None:
    """One line on stderr; with --json the contract's error on stdout too."""
    if "--json" in arguments:
        code = failure.code if failure else ExitCode.USAGE.name
        details = failure.details if failure else {}
        show.as_json({"status": "error", "error": {"code": code, "message": message, "details": details}})
    # Called without a command, what it says is the help.
    said = message if message.startswith("Usage:") else f"omc: {' '.join(message.split())}"
    show.err.print(said, markup=False, soft_wrap=True)
