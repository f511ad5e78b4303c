"""Limits, what is used of them, and the emergency stop."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from omc.cli import halt_file, named, running, show
from omc.cli.options import DEFAULT_HOME, Home, Json, Url, absolute, platform, settled
from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform
from omc.cli.second_factor import Code, with_code

commands = typer.Typer()

Only = Annotated[str | None, typer.Option("--deployment", help="Only this one, by id or name.")]
_LIMITS = (
    "order_notional_aud, position_notional_aud, daily_loss_aud, concentration, gross_notional_aud, net_notional_aud, "
    "price_band_bps, orders_a_minute, duplicate_s, drawdown, losses_in_a_row, cool_down_s, quote_age_s"
)
_COUNTS = ("orders_a_minute", "losses_in_a_row")
_LOSSES = ("day_result_aud", "highest_equity_aud", "drawdown")
_RESET_S = 10.0
# What a stop cannot be meant to overrule.
_NOES = ("VALIDATION_ERROR", "NOT_FOUND", "USAGE")


@commands.command()
def emergency_stop(
    liquidate: Annotated[bool, typer.Option("--liquidate", help="Sell what is held, too.")] = False,
    adding: Annotated[bool, typer.Option("--adding", help="Stop only what adds to positions.")] = False,
    deployment: Only = None,
    whole: Annotated[
        bool, typer.Option("--platform", help="Everybody's trading, by a file in the home. For who runs the platform.")
    ] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Allow trading again; deployments stay paused.")] = False,
    reason: Annotated[str | None, typer.Option(help="Why: it is on record.")] = None,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Halt trading at once: cancel open orders, pause every deployment. Where no platform answers, a file in its home
    halts it."""
    why, folder = reason or "asked for at the command line", absolute(home)
    if adding and liquidate:
        raise Failure("--adding leaves what is held as it is, --liquidate sells it", ExitCode.USAGE, code="USAGE")
    if whole and (liquidate or deployment):
        raise Failure("--platform halts all deployments, and sells nothing", ExitCode.USAGE, code="USAGE")
    if whole:
        _halt_platform(folder, why, reset=reset, adding=adding, json=json)
        return
    with platform(home, url) as there:
        if reset:
            _reset(there, deployment, why, code, json=json)
            return
        level = "adding" if adding else "all"
        _by_file_first(folder, there, deployment, why, level)
        try:
            body = {"liquidate": liquidate, "reason": why, "level": level}
            which = {"deployment_id": named.deployment(there, deployment)} if deployment else {}
            stopped = there.post("/floor/emergency-stop", {**body, **which})
        except Failure as failure:
            if failure.code in _NOES or deployment or not halt_file.is_here(folder):
                raise
            _by_file(folder, there, why, level, failure, json=json)
            return
    if json:
        show.as_json(stopped)
        return
    paused, sold = len(stopped["paused_deployments"]), len(stopped["sold"])
    show.line(f"halted: {paused} paused, {stopped['cancelled_orders']} orders cancelled, {sold} sold")
    for problem in stopped["problems"]:
        show.line(f"  could not be done: {problem}")


@commands.command()
def risk(home: Home = DEFAULT_HOME, url: Url = None, json: Json = False) -> None:
    """What is halted, and how much of its limits is used."""
    with platform(home, url) as there:
        status = there.get("/floor/risk/status")
        if json:
            show.as_json(status)
            return
        for halt in status["halts"]:
            what = "trading" if halt["level"] == "all" else "adding to positions"
            show.line(f"{what} is halted ({halt['scope']}) since {halt['since']}: {halt['reason']}")
        day = f"account, {status['day']} in {status['time_zone']}"
        _show(day, status["account"], "mode", "equity_aud", "held_aud", *_LOSSES)
        own = ("deployment_name", "status", "halted", "equity_aud", *_LOSSES, "daily_loss_limit_aud", "drawdown_limit")
        _show("deployments", status["deployments"], *own)


@commands.command()
def limits(
    change: Annotated[
        list[str] | None, typer.Argument(help=f"NAME=VALUE, or NAME= for none: {_LIMITS}.", show_default=False)
    ] = None,
    deployment: Only = None,
    time_zone: Annotated[str | None, typer.Option(help="Whose midnight begins your days: Australia/Sydney.")] = None,
    code: Code = None,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Show what is traded within, or change it from the next order on: your account's, or one deployment's."""
    with platform(home, url) as there:
        if change or time_zone:
            body: dict[str, Any] = {"limits": dict(_limit(each) for each in change or ())}
            if deployment:
                body["deployment_id"] = named.deployment(there, deployment)
            if time_zone:
                body["time_zone"] = time_zone
            shown = with_code(lambda proof: there.put("/floor/risk/limits", body, code=proof), code)
        else:
            shown = there.get("/floor/risk/limits")
        if json:
            show.as_json(shown)
            return
        levels = {"platform": shown["platform"], f"account ({shown['time_zone']})": shown["account"]}
        levels |= {each["deployment_name"]: each["risk_limits"] for each in shown["deployments"]}
        rows = [(whose, name, settled(value)) for whose, set_ in levels.items() for name, value in set_.items()]
        show.table("limits", ("of", "limit", ""), rows)


@commands.command()
def risk_events(
    deployment: Only = None,
    kind: Annotated[str | None, typer.Option(help="breach, halt, reset or limits.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    home: Home = DEFAULT_HOME,
    url: Url = None,
    json: Json = False,
) -> None:
    """Limits that were broken, halts, resets and changes of limits."""
    with platform(home, url) as there:
        which = named.deployment(there, deployment) if deployment else None
        query = {"deployment_id": which, "kind": kind}
        given = {name: value for name, value in query.items() if value is not None}
        rows = list(there.everything("/floor/risk/events", limit=limit, **given))
        if json:
            show.as_json(rows)
            return
        told = [(row["recorded_at"], row["kind"], _told(row["data"])) for row in rows]
        show.table("events", ("recorded_at", "kind", ""), told)


def _show(title: str, rows: list[dict[str, Any]], *columns: str) -> None:
    show.table(title, columns, [[settled(row[name]) for name in columns] for row in rows])


def _limit(word: str) -> tuple[str, Any]:
    name, equals, value = word.partition("=")
    if not equals:
        raise Failure(f"{word!r} is not NAME=VALUE", ExitCode.USAGE, code="USAGE")
    if not value:
        return name, None
    if name.endswith("_aud"):
        return name, value
    try:
        return name, int(value) if name in _COUNTS else float(value)
    except ValueError:
        raise Failure(f"{name}: {value!r} is no number", ExitCode.USAGE, code="USAGE") from None


def _told(data: dict[str, Any]) -> str:
    if "threshold" in data:
        return f"{data['level']}: {data['limit']} is {settled(data['figure'])}, the limit {settled(data['threshold'])}"
    return ", ".join(f"{name} {value}" for name, value in data.items() if value)


def _by_file_first(folder: Path, there: Platform, deployment: str | None, why: str, level: str) -> None:
    """A platform that runs here is halted before it is asked: it may be long in answering."""
    whose = halt_file.account(folder, there.url)
    if deployment is None and whose is not None and running.url(folder) == there.url:
        try:
            halt_file.write(folder, whose, why, level)
        except Failure as failure:
            show.err.print(f"omc: {failure}; asking the platform", markup=False, soft_wrap=True)


def _by_file(folder: Path, there: Platform, why: str, level: str, failure: Failure, *, json: bool) -> None:
    whose = halt_file.account(folder, there.url)
    path = halt_file.write(folder, whose or halt_file.PLATFORM, why, level)
    if json:
        show.as_json({"halted": True, "kept_in": ["file"], "file": str(path), "problems": [str(failure)]})
        return
    show.line(f"halted by the file {path}, which whoever runs on {folder} looks at")
    if whose is None:
        show.line("  nobody is signed in here, so it holds for the whole platform: nothing is sent any more")
    else:
        show.line(f"  it stops what is yours (user {whose}), and nobody else's: --platform stops everybody's")
        show.line("  whether the platform knows that user could not be asked; where it does not, nothing is stopped")
    show.line(f"  could not be done: the platform itself was not reached: {failure}")


def _reset(there: Platform, deployment: str | None, why: str, code: str | None, *, json: bool) -> None:
    which = {"deployment_id": named.deployment(there, deployment)} if deployment else {}
    body = {"reason": why, **which}
    answer = with_code(lambda proof: there.post("/floor/emergency-stop/reset", body, code=proof), code)
    if json:
        show.as_json(answer)
        return
    if answer["halted"]:
        still = answer["still"]
        show.line(f"reset, and still halted ({still['scope']}) since {still['since']}: {still['reason']}")
    else:
        show.line("trading is allowed again; deployments stay paused")
    for problem in answer["problems"]:
        show.line(f"  could not be done: {problem}")


def _halt_platform(folder: Path, why: str, *, reset: bool, adding: bool, json: bool) -> None:
    if not halt_file.is_here(folder):
        raise Failure(f"{folder} is no platform's home: nothing was changed", ExitCode.USAGE, code="USAGE")
    if not reset:
        path = halt_file.write(folder, halt_file.PLATFORM, why, "adding" if adding else "all")
        shown = {"halted": True, "kept_in": ["file"], "file": str(path)}
        show.as_json(shown) if json else show.line(f"the platform is halted by the file {path}")
        return
    path = halt_file.ask_reset(folder, why)
    deadline = time.monotonic() + (_RESET_S if running.record(folder) else 0.0)
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    waits, still = path.exists(), halt_file.still(folder)
    if json:
        show.as_json({"halted": waits or bool(still)} | ({"still": still} if still else {}))
    elif waits:
        show.line("asked for: the platform ends its halt when it runs and its database answers")
    elif still:
        show.line(f"the platform goes on to be halted: {still}")
    else:
        show.line("the platform trades again; deployments stay paused")
