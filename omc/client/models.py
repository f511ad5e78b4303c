"""What is sent and what is answered, written by `make client` from the merged document: change that instead."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from omc.client.answers import Amount, Bound, Model


class AcceptIn(Model):
    """The account is the one that the deployment trades; an owner's account is shared by all that trade it."""

    deployment_id: UUID


class Account(Model):
    """A deleted one keeps its id, and nothing that says whose it was."""

    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime
    deleted_at: datetime | None


class AccountChange(Model):
    full_name: str | None = None
    is_active: bool | None = None
    current_password: str | None = None


class AccountRisk(Model):
    """All deployments of one mode together."""

    equity_aud: Amount
    day_result_aud: Amount | None
    highest_equity_aud: Amount | None
    drawdown: float | None
    broken_today: list[str]
    mode: Literal["paper", "live"]
    held_aud: Amount


class ActivateIn(Model):
    confirmation: str | None = None


class AlgorithmChange(Model):
    """What is left out stays, but for parameters that new code does not have; `parameters` replaces all of them,
    those not named having their defaults. New code or parameters make a new version, which is a draft again."""

    name: str | None = None
    description: str | None = None
    code: str | None = None
    parameters: dict[str, Any] | None = None


class AlgorithmIn(Model):
    """`algorithm_type` is that of a built-in algorithm, or `custom` with code of one's own."""

    name: str
    description: str | None = None
    algorithm_type: str
    code: str | None = None
    parameters: dict[str, Any] | None = None


class AlgorithmOut(Model):
    id: UUID
    name: str
    description: str | None
    algorithm_type: str
    code: str | None
    parameters: dict[str, Any]
    status: Literal["draft", "validated", "deployable", "deployed"]
    version: int
    created_at: datetime
    updated_at: datetime


class AlgorithmPnL(Model):
    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    algorithm_id: UUID
    deployments: list[UUID]
    trades: int


class BoundsOut(Model):
    pass


class LimitsOut(Model):
    pass


class DeploymentLimits(Model):
    deployment_id: UUID
    deployment_name: str
    risk_limits: LimitsOut


class AllLimits(Model):
    """`most` is what the platform allows any deployment; null when it sets no bound. `account` holds for all of
    the owner's deployments of one mode together, those on paper apart from those live, `platform` likewise for
    everybody's."""

    most: LimitsOut | None
    account: BoundsOut
    time_zone: str
    platform: BoundsOut
    deployments: list[DeploymentLimits]


class AuditOut(Model):
    """An entry of the chain. `hash` covers all of it and `previous`, which is the hash of the entry before.

    Each request that may change something has two: `outcome` asked before anything was done, and one of the
    others afterwards, which names the first one's `seq` as `asked`. Attempts to come in that failed have the
    second alone."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    outcome: str | None
    details: dict[str, str | int | bool | None]
    address: str
    request_id: str
    previous: str
    hash: str


class AvailableOut(Model):
    """An algorithm that passed a gate. `modes` are those that its status allows."""

    id: UUID
    name: str
    description: str | None
    algorithm_type: str
    parameters: dict[str, Any]
    status: str
    version: int
    modes: list[Literal["paper", "live"]]
    updated_at: datetime


class AverageOut(Model):
    """The mean of the last `bars` prices in AUD; null when half of them are missing."""

    bars: int
    mean: Amount | None


class BacktestIn(Model):
    start_date: Bound
    end_date: Bound
    coins: list[str]
    parameters: dict[str, Any] | None = None
    initial_cash: Amount
    rebalance_band: float = 0.02
    slippage_bps: float = 0.0
    latency_bars: int = 0
    model_id: UUID | None = None
    triggers: list[dict[str, Any]] | None = None


class BacktestOut(Model):
    """`metrics` is null until the run is completed."""

    algorithm_id: UUID
    version: int
    algorithm_type: str
    start_date: datetime
    end_date: datetime
    coins: list[str]
    parameters: dict[str, Any]
    initial_cash: Amount
    rebalance_band: float
    slippage_bps: float
    latency_bars: int
    model_id: UUID | None
    triggers: list[dict[str, Any]]
    id: UUID
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    metrics: dict[str, float | None] | None
    trades: int | None
    error_message: str | None
    execution_time_s: float | None
    created_at: datetime
    completed_at: datetime | None


class BeginIn(Model):
    password: str


class BoundsIn(Model):
    """What is left out stays as it is; what is null does not bind any more. Shares are fractions of equity, times
    those of the market's clock."""

    order_notional_aud: Amount | None = None
    position_notional_aud: Amount | None = None
    daily_loss_aud: Amount | None = None
    concentration: float | None = None
    gross_notional_aud: Amount | None = None
    net_notional_aud: Amount | None = None
    price_band_bps: float | None = None
    orders_a_minute: int | None = None
    duplicate_s: float | None = None
    drawdown: float | None = None
    losses_in_a_row: int | None = None
    cool_down_s: float | None = None
    quote_age_s: float | None = None


class CandidateFill(Model):
    fill_id: str
    quantity: Amount
    total_aud: Amount
    fee_aud: Amount
    executed_at: datetime


class Candidate(Model):
    """One thing at the venue. `open_quantity` is what still works of it."""

    venue_order_id: str | None
    fills: list[CandidateFill]
    open_quantity: Amount


class CandleOut(Model):
    """AUD for one coin, of its last prices; `timestamp` is when the bar began. `quotes` counts the five minutes of
    the bar in which the coin was quoted: in all of them makes it `complete`, in none a `gap`, whose prices are
    null."""

    coin: str
    timestamp: datetime
    open: Amount | None
    high: Amount | None
    low: Amount | None
    close: Amount | None
    quotes: int
    gap: bool
    complete: bool


class CandlePage(Model):
    """Candles, oldest first."""

    items: list[CandleOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None


class CapabilityOut(Model):
    """`means` is what having it, or lacking it, comes to for whoever trades there."""

    name: str
    has: bool
    means: str


class CatalystOut(Model):
    """What may move a price. Without coins it is about the whole market."""

    event_at: datetime
    observed_at: datetime
    source: str
    published_at: datetime | None
    revision: int
    type: str
    priority: str
    source_id: str
    title: str
    url: str | None
    coins: list[str]


class CatalystPage(Model):
    """Of the catalyst ledger, newest first."""

    items: list[CatalystOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None
    counted_whole: bool = True


class ChoiceOut(Model):
    """The point that was best before a fold, and what came of it there; annualized Sharpe ratios."""

    fold: int
    index: int
    parameters: dict[str, Any]
    in_sample_sharpe: float | None
    out_of_sample_sharpe: float | None


class CoinOut(Model):
    """A coin whose prices are stored. `bars` are the five minutes from the first to the last of them, gaps
    included; `price` is what it was last traded for, in AUD."""

    coin: str
    first: datetime
    last: datetime
    bars: int
    price: Amount


class CoinPerformance(Model):
    """Of closed trades; `profit_ratio` is of all that was paid for the coin."""

    coin: str
    profit_aud: Amount
    profit_ratio: float | None
    trade_count: int


class CoinPnL(Model):
    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    coin: str
    trades: int


class CollectorOut(Model):
    """`state` is starting, running, paused, waiting, frozen, refused, ended or unreachable; `faults` counts
    unusable answers by kind."""

    ledger: str
    state: str
    last_run_at: datetime | None = None
    last_quotes_at: datetime | None = None
    quotes_changed_at: datetime | None = None
    lag_s: float | None = None
    rows_stored: int = 0
    faults: dict[str, int] | None = None
    last_error: str | None = None
    tape_position: int | None = None
    tape_bars: int | None = None


class ConfirmIn(Model):
    code: str


class Counts(Model):
    executions: int
    decisions: int
    intents: int
    denied: int
    trades: int


class CredentialOut(Model):
    """`access` is what the venue said of the key when it was last asked: refused, read_only or full; null when it
    never was. `message` says why it is not full."""

    kind: Literal["exchange", "llm"]
    name: str
    api_key: str
    is_validated: bool
    access: Literal["refused", "read_only", "full"] | None
    message: str | None
    last_validated_at: datetime | None
    withdrawals_disabled: bool
    stored_at: datetime


class DayPnL(Model):
    """`day` is one of the account's time zone; without one it is what is held now."""

    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    day: date | None
    trades: int


class DecisionOut(Model):
    """The weights wanted after a bar, and why, coin by coin; and the last of what code has printed since the
    decision before. `trigger` is what the algorithm was asked for, where it is not asked on every bar; empty
    where its last wishes stand."""

    decided_at: datetime
    recorded_at: datetime
    targets: dict[str, float]
    why: dict[str, str]
    printed: str
    trigger: str


class DeflatedOut(Model):
    """`sharpe` is the best point's; `threshold` the best that as many tries of no skill would show; `probability`
    that of the true ratio being above it."""

    sharpe: float | None
    threshold: float | None
    probability: float | None


class Deletion(Model):
    """`current_password` is that of whoever asks, whosever account it is."""

    current_password: str
    leave_coins: bool = False


class Dependency(Model):
    name: str
    ready: bool
    detail: str
    ms: float


class ExecutionIn(Model):
    """How the deployment's orders are worked. Left out, each goes to the venue whole, and takes what there is at
    once."""

    slice_above_aud: Amount | None = None
    slices: int = 5
    over_s: float = 60.0
    style: Literal["twap", "vwap"] = "twap"
    good_for_s: float = 0.0
    tolerance_bps: float | None = None
    routing: Literal["fee", "cost"] = "fee"


class LimitsIn(Model):
    """The largest order and position are twice `cash` where they are left out, the daily loss a fifth of it; the
    others do not bind then."""

    order_notional_aud: Amount | None = None
    position_notional_aud: Amount | None = None
    daily_loss_aud: Amount | None = None
    concentration: float | None = None
    gross_notional_aud: Amount | None = None
    net_notional_aud: Amount | None = None
    price_band_bps: float | None = None
    orders_a_minute: int | None = None
    duplicate_s: float | None = None
    drawdown: float | None = None
    losses_in_a_row: int | None = None
    cool_down_s: float | None = None
    quote_age_s: float | None = None


class DeployIn(Model):
    algorithm_id: UUID
    version: int | None = None
    deployment_name: str
    coins: list[str]
    parameters: dict[str, Any] | None = None
    model_id: UUID | None = None
    mode: Literal["paper", "live"]
    cash: Amount
    risk_limits: LimitsIn | None = None
    confirmation: str | None = None
    rebalance_band: float = 0.02
    execution: ExecutionIn | None = None
    triggers: list[dict[str, Any]] | None = None


class ExecutionOut(Model):
    """How a deployment's orders are worked; see `ExecutionIn`."""

    slice_above_aud: Amount | None
    slices: int
    over_s: float
    style: Literal["twap", "vwap"]
    good_for_s: float
    tolerance_bps: float | None
    routing: Literal["fee", "cost"]


class DeploymentOut(Model):
    id: UUID
    algorithm_id: UUID
    version: int
    algorithm_type: str
    deployment_name: str
    coins: list[str]
    parameters: dict[str, Any]
    mode: Literal["paper", "live"]
    venue: str
    cash: Amount
    risk_limits: LimitsOut
    rebalance_band: float
    status: Literal["active", "paused", "stopped"]
    deployed_at: datetime
    heartbeat_at: datetime | None
    last_executed_at: datetime | None
    last_signal_at: datetime | None
    execution_count: int
    last_error: str | None
    model_id: UUID | None
    execution: ExecutionOut
    triggers: list[dict[str, Any]]


class DeploymentPnL(Model):
    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    deployment_id: UUID
    deployment_name: str
    trades: int


class DeploymentRisk(Model):
    """`realized_today_aud` is after fees. Buying stops when the day's loss, or the drawdown, reaches its limit."""

    equity_aud: Amount
    day_result_aud: Amount | None
    highest_equity_aud: Amount | None
    drawdown: float | None
    broken_today: list[str]
    deployment_id: UUID
    deployment_name: str
    status: str
    halted: bool
    realized_today_aud: Amount
    daily_loss_limit_aud: Amount
    drawdown_limit: float | None
    largest_position_aud: Amount
    position_limit_aud: Amount


class ParameterOut(Model):
    """A number whose range is declared. `search` is where a sweep looks unless told otherwise; empty where it
    leaves the parameter alone."""

    low: float
    high: float
    integer: bool
    about: str
    search: dict[str, Any]


class Described(Model):
    """`parameters` are those that are set, defaults included; `ranges` are of the numbers among them that declare
    one. `most_coins` is null where there is no most, and `memory_bars` is how many bars a decision looks back."""

    algorithm_type: str
    parameters: dict[str, Any]
    ranges: dict[str, ParameterOut]
    fewest_coins: int
    most_coins: int | None
    memory_bars: int


class DisposalOut(Model):
    """Coins of one parcel that one fill sold, the days being those of the account's time zone. The cost base has
    the purchase's fee inside, the proceeds are after the sale's. `over_twelve_months` says only how long it was
    held."""

    deployment_id: UUID
    deployment_name: str
    coin: str
    quantity: Amount
    acquired_on: date
    disposed_on: date
    held_days: int
    over_twelve_months: bool
    cost_base_aud: Amount
    proceeds_aud: Amount
    gain_aud: Amount
    bought_fee_aud: Amount
    sold_fee_aud: Amount
    acquired_at: datetime
    disposed_at: datetime
    bought_by: str
    sold_by: str


class Enrollment(Model):
    """Shown this once: scan the address as a QR code, or type the secret into the device."""

    secret: str
    otpauth_uri: str


class ExchangeKeyIn(Model):
    api_key: str
    api_secret: str
    withdrawals_disabled: bool = False


class ExchangeOut(Model):
    """A quote as the venue showed it, in AUD."""

    event_at: datetime
    observed_at: datetime
    source: str
    coin: str
    bid: Amount
    ask: Amount
    last: Amount


class ExchangePage(Model):
    """Of the exchange ledger, newest first."""

    items: list[ExchangeOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None
    counted_whole: bool = True


class Finding(Model):
    """`line` and `column`, from 1, are of the algorithm's code; null where a finding has no place in it, or there
    is no code."""

    rule: str
    line: int | None
    column: int | None
    message: str


class Findings(Model):
    valid: bool
    findings: list[Finding]


class ForceExitIn(Model):
    """One coin of a deployment, or with `all` everything that it holds."""

    deployment_id: UUID
    coin: str | None = None
    all: bool = False


class ForcedOut(Model):
    client_order_id: str
    coin: str
    quantity: Amount
    filled_quantity: Amount
    total_aud: Amount
    status: str


class ForceExitOut(Model):
    """What was sold. `problems` says what was not, one sentence each."""

    deployment_id: UUID
    sold: list[ForcedOut]
    problems: list[str]


class GateOut(Model):
    """`figure` is null when there was nothing to measure, which never passes."""

    gate: str
    figure: float | None
    threshold: float
    passed: bool
    why: str


class GlassOut(Model):
    """What can be seen on the chains."""

    event_at: datetime
    observed_at: datetime
    source: str
    published_at: datetime | None
    revision: int
    protocol: str
    chain: str
    metric: str
    value: float | None


class GlassPage(Model):
    """Of the glass ledger, newest first."""

    items: list[GlassOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None
    counted_whole: bool = True


class HaltOut(Model):
    """One halt that is on; `adding` leaves sales alone."""

    scope: Literal["platform", "account", "deployment"]
    level: Literal["all", "adding"]
    deployment_id: UUID | None
    since: datetime
    reason: str


class Health(Model):
    status: str
    version: str


class HeldOut(Model):
    """An order that could be several things at the venue, or none: its coin waits until a person says."""

    order_id: UUID
    client_order_id: str
    deployment_id: UUID
    coin: str
    side: Literal["buy", "sell"]
    quantity: Amount
    held_at: datetime
    candidates: list[Candidate]


class HumanOut(Model):
    """What people say: `kind` is news or social."""

    event_at: datetime
    observed_at: datetime
    source: str
    published_at: datetime | None
    revision: int
    kind: str
    source_id: str
    title: str
    url: str | None
    coins: list[str]
    sentiment_score: float | None
    sentiment_label: str | None


class HumanPage(Model):
    """Of the human ledger, newest first."""

    items: list[HumanOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None
    counted_whole: bool = True


class LastRun(Model):
    """Of the exchange's collector; `lag_s` is how long ago it handed quotes on."""

    state: str
    last_run_at: datetime | None
    rows_stored: int
    lag_s: float | None
    last_error: str | None


class Latency(Model):
    """From the arrival of quotes to the end of an order, in milliseconds."""

    orders: int
    p50: float | None
    p99: float | None


class LatestOut(Model):
    """The newest quote of a coin, in AUD. `timestamp` is the venue's; `age_s` is how long ago it reached us."""

    coin: str
    timestamp: datetime
    bid: Amount
    ask: Amount
    last: Amount
    age_s: float | None


class LegOut(Model):
    """One side's trade, all its fills together. `reason` is signal, or the exit that closed it: stop_loss,
    take_profit, trailing_stop, time_stop, end or liquidation. Of the floor's it may be forced_exit (its owner
    had it sold), emergency_stop, or synthetic (what a person accepted to bring our books to the venue's)."""

    quantity: Amount
    price_aud: Amount
    value_aud: Amount
    fee_aud: Amount
    executed_at: datetime
    reason: str | None


class LimitsChange(Model):
    """Of the account, or of one deployment when it is named. They hold from the next order on."""

    deployment_id: UUID | None = None
    limits: BoundsIn | None = None
    time_zone: str | None = None


class LiveOut(Model):
    """`refusal` says why no real money is traded there; null where it may be."""

    available: bool
    refusal: str | None


class LockOut(Model):
    """`stops` is everything, or only what adds to a position. Without `until` it holds until something happens,
    which `reason` says. `lift` is what its owner may do about it, null where nothing but time or the operator
    helps."""

    id: str
    kind: Literal["halt", "cool_down", "held_order", "kept_out", "account_closed"]
    stops: Literal["all", "adding"]
    deployment_id: UUID | None = None
    coin: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reason: str
    lift: str | None = None


class MeasuresOut(Model):
    """`returns` are fractions gained, by how long ago they began. `volatility` is the sample deviation of the
    logarithmic returns, annualized by the square root of how many intervals 365 days have. Spreads are basis
    points. `correlation` is Pearson's, of the logarithmic returns of both coins. Null is what too few prices
    are stored for."""

    coin: str
    at: datetime
    interval: Literal["5m", "15m", "1h", "4h", "1d"]
    window: int
    last: Amount
    returns: dict[str, float | None]
    volatility: float | None
    spread_bps: float | None
    mean_spread_bps: float | None
    averages: list[AverageOut]
    correlated_with: str | None
    correlation: float | None


class ModelIn(Model):
    """Bars from `start_date` to `end_date`, both included, are what the newest version's `fit` is handed."""

    start_date: Bound
    end_date: Bound
    coins: list[str]
    parameters: dict[str, Any] | None = None


class ModelKeyIn(Model):
    api_key: str


class ModelOut(Model):
    """`content_hash` is of what was learned, `code_hash` of the code that learned it and `bars_hash` of every
    price that it saw, all of them SHA-256."""

    id: UUID
    algorithm_id: UUID
    version: int
    content_hash: str
    size_bytes: int
    code_hash: str
    parameters: dict[str, Any]
    coins: list[str]
    start_date: datetime
    end_date: datetime
    first_bar: datetime
    last_bar: datetime
    bars: int
    bars_hash: str
    libraries: dict[str, str]
    created_at: datetime


class Scope(Model):
    pass


class NewToken(Model):
    """The only time that the token itself is shown."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    token: str


class TallyOut(Model):
    """Every try of the algorithm, of all its versions; annualized Sharpe ratios across those that were measured."""

    tries: int
    measured: int
    mean_sharpe: float | None
    variance_sharpe: float | None


class NextStep(Model):
    """What promoting would answer now. With a sweep, `parameters` are those of its best point."""

    target: Literal["validated", "deployable"]
    passed: bool
    parameters: dict[str, Any]
    gates: list[GateOut]
    tries: TallyOut


class OffIn(Model):
    password: str
    code: str


class OpenTrade(Model):
    """A coin that a deployment holds. `average_price_aud` is without fees, profits are after them, that of selling
    now among them. `stop_distance` is how far the bid may fall until a stop sells, as a fraction of it; null
    where none is known: only code itself knows the fixed stop that it asks for."""

    deployment_id: UUID
    deployment_name: str
    coin: str
    quantity: Amount
    average_price_aud: Amount
    current_price_aud: Amount | None
    paid_aud: Amount
    got_aud: Amount
    profit_aud: Amount | None
    profit_ratio: float | None
    opened_at: datetime
    age_s: float
    stop_aud: Amount | None
    stop_distance: float | None


class OrderOut(Model):
    """`price_aud` is the quote that it was sized on; `decided_at` the bar whose close led to it. `limit_aud` is
    where its limit stands on the book or, while it is `replacing`, was asked to go. `slippage_bps` is how much
    worse than `price_aud` it was filled, fees left out. An order in `slices` has their fills; each names it as
    `slice_of`."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    coin: str
    side: Literal["buy", "sell"]
    kind: Literal["instant", "market"]
    quantity: Amount
    filled_quantity: Amount
    price_aud: Amount
    limit_aud: Amount
    good_for_s: float
    slice_of: str | None
    slices: int | None
    slippage_bps: float | None
    status: str
    refusal: str | None
    reason: str
    message: str | None
    decided_at: datetime
    quoted_at: datetime
    created_at: datetime
    updated_at: datetime


class OtherExchangeKeyIn(Model):
    api_key: str
    api_secret: str
    withdrawals_disabled: bool = False
    passphrase: str | None = None


class PairOut(Model):
    """A trade of both sides, or of one alone. What is worse for its owner is positive."""

    bar: datetime
    coin: str
    side: Literal["buy", "sell"]
    backtest: LegOut | None
    floor: LegOut | None
    later_s: float | None
    price_bps: float | None
    cost_aud: Amount | None
    differences: list[str]


class ParametersIn(Model):
    parameters: dict[str, Any]


class ParityOut(Model):
    """The floor's trades beside those that the kernel makes over the very same bars; no differences is parity.

    `cost_aud` is what the floor paid more, or got less, than at the backtest's prices and fees, and `cost_bps`
    the same of what was traded: negative when it came off better. `differences` are the first 1,000 sentences."""

    start: datetime | None = None
    end: datetime | None = None
    backtest_trades: int = 0
    floor_trades: int = 0
    paired: int = 0
    different: int = 0
    only_backtest: int = 0
    only_floor: int = 0
    cost_aud: Amount = Decimal("0.00000000")
    cost_bps: float | None = None
    latest_s: float | None = None
    differences: list[str] | None = None


class PasswordChange(Model):
    current_password: str
    new_password: str


class Performance(Model):
    """Of the whole life of a deployment. Ratios are annualized; null while there is too little to say."""

    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    deposited_aud: Amount
    cash_aud: Amount
    equity_aud: Amount
    trades: int
    bars: int
    total_return: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float | None


class PeriodOut(Model):
    """Of trades closed from `date` on; `starting_balance_aud` is the cash put in with all earlier profits."""

    date: date
    profit_aud: Amount
    starting_balance_aud: Amount
    profit_ratio: float | None
    trade_count: int


class PointOut(Model):
    """One tried point; `error` says why it has no metrics. With folds, `fold_scores` are the objective by fold,
    and `pruned_after` is the number of folds after which it was given up."""

    index: int
    parameters: dict[str, Any]
    metrics: dict[str, float | None]
    error: str | None
    traceback: str | None
    fold_scores: list[float | None]
    pruned_after: int | None


class PositionOut(Model):
    """One coin held. `mark_aud` is the bid; without one the position is shown at its cost."""

    deployment_id: UUID
    coin: str
    quantity: Amount
    average_price_aud: Amount
    cost_aud: Amount
    mark_aud: Amount | None
    value_aud: Amount
    unrealized_pnl_aud: Amount
    realized_pnl_aud: Amount
    fees_aud: Amount


class Profile(Model):
    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime


class ProfileChange(Model):
    email: str | None = None
    full_name: str | None = None
    current_password: str | None = None


class ProfitOut(Model):
    """Of trades closed, and of all, those open at what selling would bring now. `_ratio` is of the cash put in,
    `_mean` the mean of each trade's own. A trade that earned nothing counts as won. The drawdown is of closed
    trades."""

    profit_closed_aud: Amount
    profit_closed_ratio: float | None
    profit_closed_ratio_mean: float | None
    profit_all_aud: Amount
    profit_all_ratio: float | None
    profit_all_ratio_mean: float | None
    capital_aud: Amount
    trade_count: int
    closed_trade_count: int
    winning_trades: int
    losing_trades: int
    winrate: float | None
    profit_factor: float | None
    expectancy_aud: Amount
    best_coin: str | None
    best_coin_profit_ratio: float | None
    max_drawdown: float | None
    max_drawdown_aud: Amount
    trading_volume_aud: Amount
    first_trade_at: datetime | None
    latest_trade_at: datetime | None
    avg_duration_s: float | None


class PromotionIn(Model):
    """With a sweep, its best point's parameters become the algorithm's, if the gates let them pass. With a model,
    code that learns is tried out with what it has learned; what is to become deployable is proven without."""

    sweep_id: UUID | None = None
    model_id: UUID | None = None


class PromotionOut(Model):
    algorithm: AlgorithmOut
    gates: list[GateOut]
    tries: TallyOut


class QuotaOut(Model):
    """`used` is null where each thing has its own share; `starts_anew_at` is null where nothing is counted by day."""

    limit: int | float
    used: int | float | None
    starts_anew_at: datetime | None


class QuotasOut(Model):
    """`code_bytes` is of one algorithm, in UTF-8; `backtests` and `sweeps` are those that are queued or running;
    `model_bytes` are of all stored models together; `cpu_s` are seconds of processor time that backtests,
    sweeps, fits, validation and promotion take in a day, and what code is asked on the floor but for its
    trading."""

    algorithms: QuotaOut
    code_bytes: QuotaOut
    backtests: QuotaOut
    sweeps: QuotaOut
    models: QuotaOut
    model_bytes: QuotaOut
    cpu_s: QuotaOut


class QuoteOut(Model):
    """AUD for one coin: the newest quote of five minutes. `timestamp` is when it was quoted; in a `gap`, when
    nothing was, that is when the five minutes began, and the prices are null."""

    coin: str
    timestamp: datetime
    bid: Amount | None
    ask: Amount | None
    last: Amount | None
    gap: bool


class QuotePage(Model):
    """Quotes every five minutes, oldest first."""

    items: list[QuoteOut]
    total: int
    page: int
    per_page: int
    pages: int
    next_cursor: str | None = None


class Range(Model):
    """Values from `low` to `high`, drawn at random; `log` draws their magnitudes evenly."""

    low: float
    high: float
    log: bool = False
    integer: bool = False


class Readiness(Model):
    ready: bool
    dependencies: list[Dependency]
    warnings: list[str]


class ReconciliationOut(Model):
    """The last comparison of the account that a deployment trades. Balances by coin, cash under AUD; `external` is
    at the venue and not ours. `closed` says why nothing is bought on the account, `error` why it could not be
    compared."""

    deployment_id: UUID
    deployment_name: str
    account: str
    compared_at: datetime | None = None
    age_s: float | None = None
    ours: dict[str, Amount] | None = None
    venue: dict[str, Amount] | None = None
    external: dict[str, Amount] | None = None
    differences: list[str] | None = None
    told: list[str] | None = None
    held: list[HeldOut] | None = None
    closed: str | None = None
    error: str | None = None


class RecoveryCodes(Model):
    """Shown this once: each switches the second factor off when the device is lost."""

    recovery_codes: list[str]


class RefreshToken(Model):
    refresh_token: str


class Registration(Model):
    email: str
    password: str
    full_name: str | None = None


class ReplaceIn(Model):
    price_aud: Amount


class ResetIn(Model):
    reason: str = "asked for by the owner"
    deployment_id: UUID | None = None
    until: datetime | None = None


class ResetOut(Model):
    """`still` is what halts it all the same."""

    halted: bool
    still: HaltOut | None = None
    problems: list[str] | None = None


class ResolveIn(Model):
    """What an order became: some of its candidates' fills, an open order at the venue, or none of them."""

    fill_ids: list[str] | None = None
    venue_order_id: str | None = None
    none: bool | None = None


class ResolvedOut(Model):
    order_id: UUID
    client_order_id: str
    status: str
    filled_quantity: Amount
    message: str | None


class RiskEvent(Model):
    """A breach, once each day and limit: its level and limit, the figure and the threshold. Or a halt, a reset, a
    change of limits."""

    seq: int
    kind: Literal["breach", "halt", "reset", "limits"]
    deployment_id: UUID | None
    recorded_at: datetime
    data: dict[str, Any]


class RiskStatus(Model):
    """`halted`, `since` and `reason` are those of what halts the whole account; `halts` are all switches on."""

    halted: bool
    since: datetime | None
    reason: str | None
    halts: list[HaltOut]
    day: date
    time_zone: str
    account: list[AccountRisk]
    deployments: list[DeploymentRisk]


class SimulatedTrade(Model):
    """`total_aud` is the cash that moved, its fee included; `price_aud` what a coin cost before it. `reason` is
    signal, stop_loss, take_profit, trailing_stop, time_stop or end."""

    executed_at: datetime
    coin: str
    side: Literal["buy", "sell"]
    quantity: Amount
    price_aud: Amount
    total_aud: Amount
    fee_aud: Amount
    reason: str


class SoldOut(Model):
    client_order_id: str
    deployment_id: UUID
    coin: str
    quantity: Amount
    filled_quantity: Amount
    status: str


class StateOut(Model):
    """`pending` asks for nothing yet: no device has shown that it knows the secret."""

    state: str
    confirmed_at: datetime | None = None
    recovery_codes_left: int = 0


class TraderOut(Model):
    """`state` is starting, running, failed (it tries again), halted (it paused its deployment) or stopped."""

    name: str
    state: str
    restarts: int
    last_error: str | None


class StatusOut(Model):
    """`heartbeat_age_s` is in our time. `lag_s` is in the market's: from the last bar that was finished to the
    newest quotes. `account_closed` says why nothing is bought on its account."""

    deployment: DeploymentOut
    halted: bool
    account_closed: str | None
    trader: TraderOut | None
    heartbeat_at: datetime | None
    heartbeat_age_s: float | None
    finished_bar: datetime | None
    newest_quotes: datetime | None
    lag_s: float | None
    last_error: str | None
    counts: Counts
    decision_to_order_ms: Latency


class StopEntryIn(Model):
    """Of the whole account without a deployment."""

    deployment_id: UUID | None = None
    reason: str = "no more entries, asked for by the owner"


class StopIn(Model):
    """Of the whole account without a deployment. `adding` stops what adds to positions, and leaves sales alone;
    `liquidate` also sells everything that is held."""

    liquidate: bool = False
    reason: str = "asked for by the owner"
    deployment_id: UUID | None = None
    level: Literal["all", "adding"] = "all"


class StoppedOut(Model):
    """The halt holds from `since` on, whatever `problems` says could not be done besides. `kept_in` says where: a
    file or the database suffices, the risk desk's memory ends with it."""

    halted: bool
    scope: Literal["platform", "account", "deployment"]
    level: Literal["all", "adding"]
    since: datetime
    reason: str
    kept_in: list[str]
    paused_deployments: list[UUID]
    cancelled_orders: int
    sold: list[SoldOut]
    problems: list[str]


class Summary(Model):
    """`deposited_aud` and `equity_aud` are of now, and null in a window."""

    realized_pnl_aud: Amount
    unrealized_pnl_aud: Amount
    fees_aud: Amount
    net_pnl_aud: Amount
    deployments: int
    trades: int
    deposited_aud: Amount | None
    equity_aud: Amount | None


class SweepIn(Model):
    """`grid` tries every combination of lists of values; `random` draws `points` from lists or ranges; `optuna`
    asks for `points` where earlier ones did well. With `folds` every point is tried on one part of the window
    after the other, none of which it was chosen by; with `prune` two thirds of the points are given up after
    each fold."""

    start_date: Bound
    end_date: Bound
    coins: list[str]
    parameters: dict[str, Any] | None = None
    initial_cash: Amount
    rebalance_band: float = 0.02
    slippage_bps: float = 0.0
    latency_bars: int = 0
    space: dict[str, Any]
    method: Literal["grid", "random", "optuna"] = "grid"
    points: int | None = None
    seed: int = 7
    objective: Literal[
        "total_return",
        "cagr",
        "volatility",
        "sharpe",
        "sortino",
        "calmar",
        "max_drawdown",
        "profit_factor",
        "win_rate",
        "turnover",
        "fees_aud",
        "exposure",
        "trades",
        "skewness",
        "kurtosis",
        "bars",
    ] = "sharpe"
    folds: int = 0
    scheme: Literal["anchored", "rolling"] = "anchored"
    purge_bars: int = 0
    embargo_bars: int = 0
    prune: bool = False


class SweepOut(Model):
    """`done` counts the points that are over: tried on all folds, `failed` among them, or `pruned`. `best` is the
    best so far."""

    algorithm_id: UUID
    version: int
    algorithm_type: str
    start_date: datetime
    end_date: datetime
    coins: list[str]
    parameters: dict[str, Any]
    initial_cash: Amount
    rebalance_band: float
    slippage_bps: float
    latency_bars: int
    model_id: UUID | None
    triggers: list[dict[str, Any]]
    id: UUID
    space: dict[str, Any]
    method: Literal["grid", "random", "optuna"]
    points: int
    seed: int
    objective: str
    folds: int
    scheme: Literal["anchored", "rolling"]
    purge_bars: int
    embargo_bars: int
    prune: bool
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    done: int
    failed: int
    pruned: int
    best: dict[str, Any] | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


class TemplateOut(Model):
    """A built-in algorithm: its defaults, what they mean, the space that a sweep of it would search, and how many
    coins it decides on (`most_coins` is null where there is no most). `source` is what it is written in: as
    code of one's own, of the type `custom`, it decides the same."""

    algorithm_type: str
    description: str
    parameters: dict[str, Any]
    about: dict[str, str]
    space: dict[str, Any]
    fewest_coins: int
    most_coins: int | None
    source: str


class TermsOut(Model):
    """Fees in hundredths of a percent of what is traded. Coins that are not `market_coins` are traded instantly."""

    market_fee_bps: int
    instant_fee_bps: int
    min_order_aud: Amount
    market_coins: list[str]


class TokenIn(Model):
    name: str
    scopes: list[Scope]
    expires_at: datetime | None = None


class TokenOut(Model):
    """`last_used_at` is written once a minute."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class Tokens(Model):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int


class TradeOut(Model):
    """One execution. `total_aud` is the cash that moved, its fee included."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    coin: str
    side: Literal["buy", "sell"]
    quantity: Amount
    price_aud: Amount
    total_aud: Amount
    fee_aud: Amount
    executed_at: datetime


class ValidateIn(Model):
    withdrawals_disabled: Literal[True] | None = None


class VenueOut(Model):
    name: str
    exchange_url: str | None
    live: LiveOut
    terms: TermsOut
    capabilities: list[CapabilityOut]


class VerdictOut(Model):
    """`tries` counts everything that was ever tried of the algorithm; `pbo` is the probability of backtest
    overfitting, among the points that were tried to the end: of a pruned sweep, its survivors.
    `out_of_sample_sharpe` is that of trading, fold by fold, what was best before, and `degradation` how much of
    the ratio in sample is gone then. What cannot be said is null."""

    sweep_id: UUID
    tries: int
    deflated: DeflatedOut | None
    pbo: float | None
    out_of_sample_sharpe: float | None
    degradation: float | None
    choices: list[ChoiceOut]


class VersionOut(Model):
    algorithm_id: UUID
    version: int
    code: str | None
    parameters: dict[str, Any]
    content_hash: str
    created_at: datetime


class FloorCurve(Model):
    """At most 2,000 points, evenly thinned, the first and the last among them; holdings at the bid."""

    times: list[datetime]
    equity_aud: list[Amount]


class LabCurve(Model):
    """Thinned to `points`: the first and the last bar, and of each stretch between the lowest and the highest
    equity. `benchmark_aud` is what buying the same coins and holding them would have been worth; `rows` is how
    many bars the whole curve has."""

    times: list[datetime]
    equity_aud: list[Amount]
    cash_aud: list[Amount]
    benchmark_aud: list[Amount]
    rows: int


class Login(Model):
    email: str
    password: str
