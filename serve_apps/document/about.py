"""What the document says before its first path: the ways of the house, its parts, and the streams that no path
describes."""

from typing import Any

ABOUT = """\
Takes a crypto trading idea from the lab to the floor.

**Who you are.** `POST /api/v1/auth/login` gives an access token for a quarter of an hour, sent as
`Authorization: Bearer …`, and a refresh token that buys the next one, once.

**Answers.** One thing is `{"status": "success", "data": …, "message": …}`, a list is
`{"items": […], "total": …, "page": …, "per_page": …, "pages": …}` and takes `page` and `per_page`. An error is
`{"status": "error", "error": {"code": …, "message": …, "details": …}}`. Every answer carries `X-Request-ID`.

**Values.** Money and quantities are strings with eight decimals, times are RFC 3339 in UTC, metrics are numbers or
null, ids are UUIDs. A field that is not known is refused. Somebody else's thing is not there: 404.

**Twice.** What costs money takes `Idempotency-Key`: the same key again has its effect once, and the same answer.
429 and 503 say in `Retry-After` after how many seconds to come again.

**Streams.** Three WebSockets, of which OpenAPI has no word: `/api/v1/ws/floor` tells everything that the journal says
of your account, `/api/v1/ws/prices` the exchange's quotes (`?coins=BTC,ETH`), `/api/v1/ws/catalyst` what becomes known
(`?coins=` as well). The token is the first message
(`{"token": "…"}`), the subprotocols `bearer, TOKEN`, or `?token=`. Every message is
`{"type": …, "seq": …, "timestamp": …, "data": …}`; `seq` rises by one, the first message is a `snapshot`, and
`?seq=118` goes on after 118. Types: `snapshot`, `resumed`, `price`, `catalyst`, `signal`, `order`, `fill`, `position`,
`pnl`, `risk`, `halt`, `deployment`. A client that reads too slowly is dropped with 4008, one whose token ended with
4001.
"""

_TAGS = {
    "health": "Whether the platform lives, and whether what it needs answers.",
    "auth": "Coming in, staying in, going out.",
    "users": "Accounts.",
    "tokens": "Tokens for programs: what each may do, and until when.",
    "second factor": "A code from an authenticator, before live trading.",
    "credentials": "Keys of exchanges and of language models: sealed on the way in, masked on the way out.",
    "data": "What is known of the market.",
    "collectors": "The ledgers' collectors, and how they are doing.",
    "audit": "What was done with an account, in order, and never changed.",
    "internal": "For operators.",
    "algorithms": "Algorithms, their versions and what they promise.",
    "models": "What algorithms that learn have learned.",
    "backtests": "An algorithm on stored prices.",
    "sweeps": "Many backtests: a search for parameters, and whether to believe it.",
    "reports": "Pages to print, which load nothing.",
    "promotion": "From draft to validated to deployable.",
    "templates": "Algorithms that ship with the platform.",
    "quotas": "What the lab lets an account use.",
    "deployments": "Algorithms at work.",
    "books": "Orders, trades, positions and decisions.",
    "performance": "How a deployment does.",
    "parity": "Whether the floor did what the backtest says.",
    "pnl": "Profit and loss, and what is taxed.",
    "risk": "Limits, halts, and the emergency stop.",
    "reconciliation": "Our books beside the exchange's.",
    "venues": "Exchanges, and what they can do.",
    "verbs": "The words of freqtrade's users.",
}


def described_tags(used: set[str]) -> list[dict[str, Any]]:
    """Those that are used, described, in the order in which somebody meets them."""
    known = [{"name": name, "description": text} for name, text in _TAGS.items() if name in used]
    return known + [{"name": name} for name in sorted(used - set(_TAGS))]
