"""`python -m omc.adapters.coinspot.exchange`: serve the sandbox exchange until SIGTERM.

Prints `ready http://HOST:PORT` once it listens. What it cannot start with is one sentence on stderr and exit code 2.
"""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from omc.adapters.coinspot.exchange.app import RequestRate, SandboxExchange
from omc.adapters.coinspot.exchange.control import ControlDesk
from omc.adapters.coinspot.exchange.fault_desk import FaultDesk
from omc.adapters.coinspot.exchange.faults import FaultKind
from omc.adapters.coinspot.exchange.keys import Key, KeyRing
from omc.adapters.coinspot.exchange.plan import DEFAULT_RATE, FaultPlan, kinds_of
from omc.adapters.coinspot.exchange.player import TapePlayer
from omc.adapters.coinspot.exchange.server import listening, serve
from omc.adapters.coinspot.exchange.token_file import token_in
from omc.errors import InvalidInput
from omc.market.coin import ticker
from omc.market.synthetic import synthetic_tape
from omc.market.tape import Tape
from omc.market.terms import COINSPOT_MARKET_COINS, Terms
from omc.trading.paper.venue import PaperVenue

_EXIT_REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        bound = listening(options.host, options.port)
        exchange, speed = build(options)
    except InvalidInput as fault:
        sys.stderr.write(f"{fault}\n")
        return _EXIT_REFUSED
    player = exchange.control.player
    playing = None if player.lockstep else player.play(speed)
    asyncio.run(serve(exchange, bound, _say_ready, playing))
    return 0


def build(options: argparse.Namespace) -> tuple[SandboxExchange, float]:
    """The exchange that the options describe, and how many times faster than real time it plays."""
    if options.lockstep and options.token_file is None:
        raise InvalidInput("a tape in lock-step is moved through the control API: it needs --token-file")
    if not 0 < options.speed < float("inf"):
        raise InvalidInput(f"the speed must be a positive number, not {options.speed}")
    if options.rate_limit < 0:
        raise InvalidInput(f"the rate limit must be 0 or more, not {options.rate_limit}")
    token = token_in(options.token_file) if options.token_file else None
    terms = Terms(
        market_coins=frozenset(map(ticker, options.market_coin)) if options.market_coin else COINSPOT_MARKET_COINS,
        min_order_aud=_amount(options.min_order, "--min-order"),
    )
    depth = _amount(options.depth, "--depth") if options.depth else None
    tape = _tape(options)
    start = options.start_at if options.floor_days is None else tape.split_row(options.floor_days)
    venue = PaperVenue(terms, tape.frame.coins, depth, run=secrets.token_hex(3))
    player = TapePlayer(tape, venue, start, options.lockstep)
    ring = KeyRing(raw_only=options.signature == "raw")
    control = ControlDesk(player, ring, token, FaultDesk(_faults(options)))
    for account in options.account:
        key, secret, cash = _parts(account, "--account", "KEY:SECRET:CASH")
        control.add_key(f"demo {len(ring.keys) + 1}", _amount(cash, "--account"), key, secret)
    for reader in options.read_only_key:
        key, secret, of_key = _parts(reader, "--read-only-key", "KEY:SECRET:KEY_OF_ACCOUNT")
        if of_key not in ring.keys or key in ring.keys:
            raise InvalidInput("--read-only-key: its own key must be new, and the other one an --account's")
        ring.keys[key] = Key(ring.keys[of_key].customer, secret, full_access=False)
    return SandboxExchange(venue, ring, control, RequestRate(options.rate_limit)), options.speed


def _faults(options: argparse.Namespace) -> FaultPlan | None:
    if options.faults is None:
        return None
    only = [name for names in options.faults_only for name in names.split(",") if name]
    rates = options.fault_rate, options.account_fault_rate
    return FaultPlan(options.faults, rates[0], kinds_of(only), options.faults_most, account_rate=rates[1])


def _tape(options: argparse.Namespace) -> Tape:
    if not options.tape:
        return synthetic_tape(options.seed, options.days, options.coin or ("BTC", "ETH", "SOL", "XRP", "DOGE"))
    # Reading files takes libraries that a synthetic market can do without.
    from omc.adapters.tape_files import read_tape

    return read_tape([path for paths in options.tape for path in paths])


def _parts(text: str, option: str, form: str) -> list[str]:
    parts = text.split(":")
    if len(parts) != 3 or not all(parts):
        # The text itself holds a secret, so it is not repeated.
        raise InvalidInput(f"{option} takes {form}")
    return parts


def _amount(text: str, option: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise InvalidInput(f"{option} takes an amount in AUD")
    return amount


def _say_ready(address: str) -> None:
    sys.stdout.write(f"ready {address}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m omc.adapters.coinspot.exchange",
        description="A sandbox exchange: CoinSpot's API over a recorded or synthetic market.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (default: loopback only)")
    add("--port", type=int, default=8801, help="0 takes any free port")
    add("--tape", action="append", nargs="+", default=[], metavar="FILE", help="recorded candles or quotes")
    add("--seed", type=int, default=1, help="of the synthetic market, when there is no tape")
    add("--days", type=float, default=90, help="how long the synthetic market lasts")
    add("--coin", action="append", default=[], help="a coin of the synthetic market (repeatable)")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--start-at", type=int, default=0, metavar="BAR", help="the bar to start at, counted from 0")
    start.add_argument("--floor-days", type=float, metavar="DAYS", help="start where the last DAYS days begin")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--lockstep", action="store_true", help="move only when told to through the control API")
    pace.add_argument("--speed", type=float, default=1.0, help="times as fast as real time (default: 1)")
    add("--token-file", type=Path, help="the control API's token (mode 0600, made when missing); none: no control API")
    add("--signature", choices=("both", "raw"), default="both", help="what a signature must hold for")
    add("--account", action="append", default=[], metavar="KEY:SECRET:CASH", help="a demo account (repeatable)")
    add("--read-only-key", action="append", default=[], metavar="KEY:SECRET:KEY_OF_ACCOUNT", help="for a demo account")
    add("--min-order", default="1.00", metavar="AUD", help="the least that an order may be worth")
    add("--market-coin", action="append", default=[], help="a coin with an order book, instead of the assumed sixteen")
    add("--depth", metavar="AUD", help="how deep a book is, a coin, side and bar (default: without limit)")
    add("--faults", type=int, metavar="SEED", help="misbehave from the start, as this seed says (default: never)")
    add("--fault-rate", type=float, default=DEFAULT_RATE, metavar="RATE", help="of the requests (default: 0.05)")
    add("--account-fault-rate", type=float, metavar="RATE", help="of those made with a key (default: the same)")
    add("--faults-only", action="append", default=[], metavar="KIND,…", help=f"of {', '.join(FaultKind)}")
    add("--faults-most", type=int, default=0, metavar="N", help="as many and no more (0: without end)")
    add("--rate-limit", type=int, default=0, metavar="N", help="requests a minute and key; CoinSpot's is 1000 (0: off)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
