"""Everything that an operator may set, from the environment (`OMC_…`) or the command line; read in the wiring alone."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, FilePath, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from omc.logs import LogFormat, LogLevel
from omc.market.coin import ticker
from omc.market.terms import COINSPOT_MARKET_COINS

_KEY = re.compile(r"[0-9a-fA-F]{64}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})

Amount = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """One running platform. A value outside its range is refused by name before anything starts."""

    model_config = SettingsConfigDict(env_prefix="OMC_", extra="forbid", hide_input_in_errors=True, frozen=True)

    home: Path = Path("~/.omc")
    """Where the platform keeps everything that it owns: database, keys, logs."""
    database_url: SecretStr | None = None
    """An external PostgreSQL; without it the embedded server runs."""

    host: str = "127.0.0.1"
    """Where HTTP listens. Beyond the loopback that takes TLS: here, or at a proxy before it."""
    tls_cert: FilePath | None = None
    """A certificate with its chain, in PEM: with its key, HTTP is HTTPS."""
    tls_key: FilePath | None = None
    allow_plain_http: bool = False
    """Listen beyond the loopback without TLS: a proxy before the platform speaks it, or the network is all ours."""
    port: int = Field(8000, ge=0, le=65_535)
    """0 takes any free port."""
    front: Literal["haproxy", "serve"] = "haproxy"
    """What listens there: HAProxy, with the replicas right behind it, or Ray Serve's own proxy, several times slower,
    which also does where HAProxy does not come with Ray (it does on Linux), and for replicas on other machines."""
    dashboard_port: int = Field(8265, ge=0, le=65_535)
    cpus: Annotated[int, Field(ge=1, le=1024)] | None = None
    """CPUs that Ray may fill with lab work; the machine's own number when not given."""
    object_store_mb: int = Field(256, ge=80)

    multi_node: bool = False
    """Ray listens on the network, so that workers on other machines can join at port 6379."""
    ray_token_file: Path | None = None
    """The token that Ray's doors ask for; one of the home's own when not given."""

    external_exchange: AnyHttpUrl | None = None
    """An exchange that speaks CoinSpot's wire and runs elsewhere; without it the sandbox exchange runs here."""
    external_token_file: FilePath | None = None
    """Of an external exchange that is a sandbox: the token of its control API, which opens paper accounts."""
    live_exchange_url: AnyHttpUrl = AnyHttpUrl("https://www.coinspot.com.au")
    """Where orders for real money go. Prices must come from there as well, or none is sent."""
    venue_lag_s: float = Field(2.0, ge=0, le=60)
    """How long that exchange may take to list what it did."""
    venue_slow_s: float = Field(60.0, ge=0, le=3600)
    """How long it may take to carry out an order whose answer was lost, and to show that it did: only then is one sent
    again of which nothing shows."""
    vault_key: SecretStr | None = None
    """What people's exchange keys are sealed under: 64 hexadecimal digits, or several such between commas, the newest
    first. One of the home's own when not given."""
    sandbox_port: int = Field(0, ge=0, le=65_535)
    tape: Annotated[tuple[Path, ...], NoDecode] = ()
    """Recorded prices that the sandbox exchange plays; a synthetic market when there are none."""
    tape_days: int | None = Field(None, ge=1)
    """The last days of the tape, which the exchange plays; what comes before is history. A third when not given."""
    synthetic_seed: int = 7
    synthetic_days: int = Field(40, ge=3, le=3_650)
    """How long a synthetic market lasts, history included."""
    lockstep: bool = False
    """The tape moves on when every trader is done with its bar, rather than with the wall clock."""
    speed: float = Field(1.0, gt=0, le=100_000)
    """How many times as fast as real time the tape plays, when not in lock-step."""
    poll_s: float = Field(5.0, ge=0.05)
    reconcile_every_s: float = Field(60.0, ge=0.1)
    """How often the books of an account that is traded are held against its venue's."""

    faults: int | None = Field(None, ge=0, lt=2**63)
    """A seed, by which the sandbox exchange misbehaves: answers are lost, late or wrong. For trying out."""

    market_coins: Annotated[frozenset[str], NoDecode] = COINSPOT_MARKET_COINS
    """Coins with a market at the venue, at 0.1 %; the others are traded instantly, at 1 %."""
    min_order_aud: Amount = Decimal("1.00")

    most_order_notional_aud: Amount | None = None
    most_position_notional_aud: Amount | None = None
    most_daily_loss_aud: Amount | None = None
    """The widest limits that any deployment may ask for: all three, or none and each deployment sets its own."""
    platform_order_notional_aud: Amount | None = None
    """What everybody's deployments trade within together, those on paper apart from those live: the largest order, …"""
    platform_gross_notional_aud: Amount | None = None
    """… all positions, …"""
    platform_daily_loss_aud: Amount | None = None
    """… the loss of a day of UTC, …"""
    platform_drawdown: Decimal | None = Field(None, gt=0, le=1, allow_inf_nan=False)
    """… the loss from the highest equity as a share of it, …"""
    platform_orders_a_minute: int | None = Field(None, ge=1)
    """… and orders."""
    sell_out_slippage_bps: int = Field(200, ge=0, le=5_000)
    """How far below the newest bid an emergency sale may go."""
    halted: bool = False
    """Nothing is sent but emergency sales, until the platform is started without this."""

    validated_min_trades: int = Field(20, ge=0)
    validated_min_sharpe: float | None = None
    """Paper trading asks for none unless it is set: a poor algorithm may be watched, it costs nobody anything."""
    validated_max_drawdown: float = Field(0.9, gt=0, le=1)
    deployable_min_trades: int = Field(50, ge=0)
    deployable_max_drawdown: float = Field(0.25, gt=0, le=1)
    deployable_min_profit: float = Field(0.0, ge=0)
    """The fraction of the cash earned after all costs, with everything sold in the end."""
    deployable_min_sharpe: float = 0.5
    """Annualized, and out of sample: of walk-forward folds that chose nothing of what they measure."""
    deployable_min_deflated_sharpe: float = Field(0.95, ge=0, le=1)
    """The probability that the Sharpe ratio is above what luck alone finds in as many tries."""
    deployable_max_pbo: float = Field(0.2, ge=0, le=1)
    """The probability that the search's best is worse than its median on what it was not chosen by."""
    deployable_track_record_confidence: float = Field(0.95, gt=0.5, lt=1)
    """With which the record must be long enough to tell a Sharpe ratio above zero from luck."""

    quota_algorithms: int = Field(200, ge=1)
    """What each user may have and use: algorithms kept, …"""
    quota_code_bytes: int = Field(65_536, ge=1_024, le=200_000)
    """… the code of one, in UTF-8 …"""
    quota_backtests: int = Field(4, ge=1)
    """… backtests and …"""
    quota_sweeps: int = Field(2, ge=1)
    """… sweeps that are queued or running …"""
    quota_models: int = Field(100, ge=1)
    """… fitted models that are stored, …"""
    quota_model_bytes: int = Field(1_073_741_824, ge=1)
    """… their bytes …"""
    quota_cpu_s: float = Field(14_400.0, gt=0, allow_inf_nan=False)
    """… and seconds of processor time in a day of UTC."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Other sites whose pages may ask here, such as https://desk.example, between commas."""
    local_operators: bool = False
    """Whoever asks /internal from this machine itself is taken for an operator, without a token."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = ()
    """Networks of proxies that are believed about whom they speak for, between commas."""
    rate_account: int = Field(6_000, ge=1, le=60_000_000)
    """Requests a minute of each account, …"""
    rate_account_burst: int = Field(600, ge=1, le=1_000_000)
    """… and at once; …"""
    rate_token: int = Field(3_000, ge=1, le=60_000_000)
    """… of each token that was made for a program …"""
    rate_token_burst: int = Field(300, ge=1, le=1_000_000)
    rate_address: int = Field(12_000, ge=1, le=60_000_000)
    """… and of each address, but those of this machine."""
    rate_address_burst: int = Field(1_200, ge=1, le=1_000_000)
    requests_at_once: int = Field(100, ge=1, le=10_000)
    """Requests under way in each replica; whoever comes then is told to come again."""
    request_body_s: float = Field(20.0, gt=0, le=3_600)
    """How long the body of a request may take to arrive, …"""
    request_answer_s: float = Field(60.0, gt=0, le=3_600)
    """… and the beginning of its answer."""

    log_format: LogFormat = LogFormat.JSON
    """How replicas and actors write their logs: json, one object a line, or text."""
    log_level: LogLevel = LogLevel.INFO
    """Below info no request is told, from warning on only what is wrong."""

    allow_unsafe_sandbox: bool = False
    """People's code runs even where this machine cannot confine it whole: for trying out, and never for real money."""

    @model_validator(mode="before")
    @classmethod
    def _split_lists(cls, values: object) -> object:
        """Lists come from the environment as words between commas, paths as the PATH does."""
        if not isinstance(values, dict):
            return values
        given = dict(values)
        for name, mark in (("tape", ":"), ("market_coins", ","), ("cors_origins", ","), ("trusted_proxies", ",")):
            if isinstance(given.get(name), str):
                given[name] = [word.strip() for word in given[name].split(mark) if word.strip()]
        if "market_coins" in given:
            given["market_coins"] = frozenset(ticker(coin) for coin in given["market_coins"])
        return given

    @model_validator(mode="after")
    def _whole_ceiling(self) -> Self:
        given = (self.most_order_notional_aud, self.most_position_notional_aud, self.most_daily_loss_aud)
        if any(each is None for each in given) and any(each is not None for each in given):
            raise ValueError("the widest limits go together: order, position and daily loss")
        return self

    @model_validator(mode="after")
    def _one_exchange(self) -> Self:
        if self.external_exchange and (self.tape or self.lockstep):
            raise ValueError("a tape is played by the sandbox exchange: it cannot go with an external exchange")
        if self.external_exchange and self.faults is not None:
            raise ValueError("only the sandbox exchange misbehaves by a seed: it cannot go with an external exchange")
        if self.external_token_file and not self.external_exchange:
            raise ValueError("a token file is of no use without the external exchange that it opens")
        return self

    @model_validator(mode="after")
    def _safe_keys(self) -> Self:
        if self.vault_key and not all(_KEY.fullmatch(word) for word in keys_of(self.vault_key)):
            raise ValueError("the vault's key must be 64 hexadecimal digits, or several such between commas")
        url = self.live_exchange_url
        if url.scheme != "https" and url.host not in _LOOPBACK:
            raise ValueError("live_exchange_url must begin with https: keys are not sent over an open line")
        return self

    @model_validator(mode="after")
    def _safe_line(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        if self.host not in _LOOPBACK and self.tls_cert is None and not self.allow_plain_http:
            raise ValueError(
                f"passwords and tokens would cross the network in the open at {self.host}: give OMC_TLS_CERT and "
                "OMC_TLS_KEY, or set OMC_ALLOW_PLAIN_HTTP=1 where a proxy before the platform speaks TLS"
            )
        return self

    @model_validator(mode="after")
    def _ports_apart(self) -> Self:
        fixed = [port for port in (self.port, self.dashboard_port, self.sandbox_port) if port]
        if len(set(fixed)) < len(fixed):
            raise ValueError("HTTP, Ray's dashboard and the sandbox exchange need a port each")
        return self


def keys_of(given: SecretStr | None) -> list[str]:
    """The words of `vault_key`, newest first."""
    return [word.strip() for word in given.get_secret_value().split(",") if word.strip()] if given else []
