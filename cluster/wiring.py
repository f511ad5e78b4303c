"""Turns settings into what everything else is handed. Read nowhere else, written once."""

import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from cluster import front
from cluster.confinement import Confinement
from cluster.front import Front
from cluster.front_layout import LOOPBACKS, Behind, Layout
from cluster.home import Home
from cluster.ports import LOOPBACK, Ports
from cluster.ray_head import Wanted
from omc.access.quota import Allowance
from omc.access.rate import Rate
from omc.access.second_factors import SecondFactors
from omc.adapters.argon2 import Argon2Hasher
from omc.adapters.coinspot.live import LiveVenues
from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.trades import CoinspotTrades
from omc.adapters.coinspot.venue import CAPABILITIES, CoinspotPaperVenues
from omc.adapters.halt_files import FolderHaltFiles
from omc.adapters.jwt import JwtSigner
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.api_tokens import PostgresApiTokens
from omc.adapters.postgres.audit import PostgresAuditTrail
from omc.adapters.postgres.backtests import PostgresBacktests
from omc.adapters.postgres.blotter import PostgresBlotter
from omc.adapters.postgres.catalysts import PostgresCatalysts
from omc.adapters.postgres.closing import PostgresClosing
from omc.adapters.postgres.credentials import PostgresCredentials
from omc.adapters.postgres.curves import PostgresCurves
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.deployments import PostgresDeployments
from omc.adapters.postgres.kill_switch import PostgresKillSwitch
from omc.adapters.postgres.leases import PostgresLeases
from omc.adapters.postgres.listener import PostgresFeed
from omc.adapters.postgres.lockout import PostgresLockout
from omc.adapters.postgres.models import PostgresModels
from omc.adapters.postgres.nonces import PostgresNonces
from omc.adapters.postgres.prices import PostgresPrices
from omc.adapters.postgres.rates import PostgresRates
from omc.adapters.postgres.refresh import PostgresRefreshTokens
from omc.adapters.postgres.requests import PostgresRequests
from omc.adapters.postgres.risk import PostgresRiskStore
from omc.adapters.postgres.second_factors import PostgresSecondFactors
from omc.adapters.postgres.shelf import PostgresShelf
from omc.adapters.postgres.sweeps import PostgresSweeps
from omc.adapters.postgres.tries import PostgresTries
from omc.adapters.postgres.usage import PostgresUsage
from omc.adapters.postgres.users import PostgresUsers
from omc.adapters.postgres.venue_book import PostgresVenueBook
from omc.adapters.postgres.volumes import PostgresVolumes
from omc.adapters.sandbox_process.limits import MEBIBYTE, Together
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.adapters.system_clock import SystemClock
from omc.adapters.vault import FileVault
from omc.errors import InvalidInput, Unavailable
from omc.ledger.exchange import PriceSource
from omc.logs import LogStyle
from omc.market.synthetic import synthetic_tape
from omc.market.tape import BARS_A_DAY, Tape
from omc.market.terms import Terms
from omc.promotion.gate import Standard, StrictStandard, Thresholds
from omc.risk.flag import DurableFlag
from omc.risk.limits import Bounds, Limits
from omc.settings import Settings, keys_of
from omc.strategy.maker import Maker
from omc.trading.by_mode import ByMode
from omc.trading.capability import VenueFacts
from omc.trading.deployment import Deployment
from omc.trading.floor import Venues
from omc.trading.venue import Venue
from omc.trading.volumes import TradeSource
from serve_apps.caller import Proxies
from serve_apps.crowd import ROOM_FOR_THE_FIRST
from serve_apps.door import Rules
from serve_apps.limits import AskingLimits
from serve_apps.precedence import PROBES, STOPS

_HALTED = "the platform was started halted, by its settings"
_LONGEST_ANSWER_S = 600
# What each app's replicas do at once: more wait for a moment, and are told to come again. The streams' clients stay.
_BEHIND = (
    Behind("gateway", "", at_once=128),
    Behind("lab", "/api/v1/lab", at_once=64),
    Behind("floor", "/api/v1/floor", at_once=64),
    Behind("streams", "/api/v1/ws", at_once=2_512, sockets=True),
)
_LAB_TOGETHER = Together(most=192, free_bytes=1024 * MEBIBYTE)


def wiring(**given: Any) -> "Wiring":
    """From the environment, and from `given` before it, where it is not None. InvalidInput names a wrong setting."""
    try:
        chosen = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as fault:
        first = fault.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"])
        which = f"{name} (OMC_{name.upper()}): " if name else ""
        raise InvalidInput(f"{which}{first['msg'].removeprefix('Value error, ')}") from None
    return Wiring(chosen, Home(chosen.home.expanduser().absolute()))


@dataclass(frozen=True, slots=True)
class PricesOnly:
    """A Venues for an exchange that shows prices and opens no paper accounts."""

    exchange_url: str

    async def open(self, deployment: Deployment) -> Venue:
        raise Unavailable(f"{self.exchange_url} opens no paper accounts for {deployment.name}")


@dataclass(frozen=True, slots=True)
class NoRealMoney:
    """A Venues for a platform that trades none."""

    reason: str

    async def open(self, deployment: Deployment) -> Venue:
        raise Unavailable(f"{deployment.name} is not traded: {self.reason}")


@dataclass(frozen=True)
class Wiring:
    """One platform's adapters and ports, inert until used."""

    chosen: Settings
    home: Home

    # Where things are.

    def claimed(self, ports: Ports) -> Self:
        """The same with every port that was left open settled, and all of them held by `ports`. Unavailable when one is
        in use."""
        chosen = self.chosen
        settled = {
            "port": ports.claim(chosen.port, "HTTP", chosen.host),
            "dashboard_port": ports.claim(chosen.dashboard_port, "Ray's dashboard"),
            "sandbox_port": ports.claim(chosen.sandbox_port, "the sandbox exchange"),
        }
        return replace(self, chosen=chosen.model_copy(update=settled))

    @property
    def http(self) -> tuple[str, int]:
        """The host and port that HTTP listens on."""
        return self.chosen.host, self.chosen.port

    @property
    def url(self) -> str:
        """Where HTTP answers on this machine."""
        scheme = "http" if self.tls is None else "https"
        host = LOOPBACK if self.chosen.host == "0.0.0.0" else self.chosen.host  # noqa: S104
        return f"{scheme}://{host}:{self.chosen.port}"

    @property
    def tls(self) -> tuple[Path, Path] | None:
        """The files of the certificate and its key, where HTTP is HTTPS."""
        cert, key = self.chosen.tls_cert, self.chosen.tls_key
        return (cert.absolute(), key.absolute()) if cert and key else None

    @property
    def front(self) -> Front | None:
        """What listens for HTTP before the replicas, unless Serve's own proxy does."""
        program = front.program()
        if self.chosen.front != "haproxy" or self.multi_node or program is None:
            return None
        most = self.chosen.requests_at_once + ROOM_FOR_THE_FIRST
        layout = Layout(
            *self.http,
            # Clients of streams stay, and are counted by the streams.
            [replace(each, at_once=max(each.at_once, most)) for each in _BEHIND],
            connections=front.most_connections(),
            tls=self.tls,
            body_cap_bytes=self.rules.body_cap_bytes,
            request_within_s=self.chosen.request_body_s,
            spared=sorted(PROBES | STOPS),
            unbounded=(*LOOPBACKS, *map(str, self.chosen.trusted_proxies)),
            # The apps keep the time: this is for one that no longer does, and for what is known to take long.
            answer_within_s=max(_LONGEST_ANSWER_S, int(2 * self.chosen.request_answer_s)),
        )
        return Front(program, self.home.front, self.home.logs / "front.log", layout)

    @property
    def ray_token_file(self) -> Path:
        return self.chosen.ray_token_file or self.home.ray_token

    @property
    def multi_node(self) -> bool:
        return self.chosen.multi_node

    def head(self) -> Wanted:
        return Wanted(self.chosen.dashboard_port, self.chosen.cpus, self.chosen.object_store_mb, self.chosen.multi_node)

    def external_database(self) -> str | None:
        url = self.chosen.database_url
        return url.get_secret_value() if url else None

    # The market.

    @property
    def has_sandbox(self) -> bool:
        return self.chosen.external_exchange is None

    @property
    def exchange_url(self) -> str:
        return str(self.chosen.external_exchange or f"http://{LOOPBACK}:{self.chosen.sandbox_port}").rstrip("/")

    @cached_property
    def terms(self) -> Terms:
        return Terms(market_coins=self.chosen.market_coins, min_order_aud=self.chosen.min_order_aud)

    def tape(self) -> Tape:
        """What the sandbox exchange plays, read now."""
        if not self.chosen.tape:
            return synthetic_tape(self.chosen.synthetic_seed, self.chosen.synthetic_days)
        # Reading files takes libraries that a synthetic market can do without.
        from omc.adapters.tape_files import read_tape

        return read_tape(self.chosen.tape)

    def tape_days(self, tape: Tape) -> float:
        """The last days of `tape`, which are the floor's."""
        if self.chosen.tape_days is not None:
            return self.chosen.tape_days
        return max(1, round(len(tape.frame) / BARS_A_DAY / 3))

    def history_command(self) -> list[str]:
        """Arguments of Python that import what precedes the floor's part of the tape."""
        days = ["--tape-days", str(self.chosen.tape_days)] if self.chosen.tape_days else []
        files = [str(path) for path in self.chosen.tape]
        return ["-m", "cluster.importing", "--tape", "--home", str(self.home.folder), *days, "--", *files]

    def sandbox_command(self, first_bar: int) -> list[str]:
        """Arguments of Python that serve the sandbox exchange, opening at `first_bar` of the tape."""
        chosen = self.chosen
        files = [str(path) for path in chosen.tape]
        tape = (
            ["--tape", *files]
            if files
            else ["--seed", str(chosen.synthetic_seed), "--days", str(chosen.synthetic_days)]
        )
        pace = ["--lockstep"] if chosen.lockstep else ["--speed", str(chosen.speed)]
        coins = [word for coin in sorted(chosen.market_coins) for word in ("--market-coin", coin)]
        where = ["--port", str(self.chosen.sandbox_port), "--token-file", str(self.home.sandbox_token)]
        costs = ["--min-order", f"{chosen.min_order_aud:f}", *coins]
        faults = [] if chosen.faults is None else ["--faults", str(chosen.faults)]
        told = [*where, *tape, "--start-at", str(first_bar), *pace, *costs, *faults]
        return ["-m", "omc.adapters.coinspot.exchange", *told]

    @cached_property
    def sandbox_control(self) -> SandboxControl | None:
        """The hand on the tape, where the exchange has one."""
        token_file = self.home.sandbox_token if self.has_sandbox else self.chosen.external_token_file
        return SandboxControl(self.exchange_url, token_file) if token_file else None

    @cached_property
    def price_source(self) -> PriceSource:
        """In lock-step the collector stamps boards by the tape itself, and a second look at its clock is spared."""
        paced = None if self.chosen.lockstep else self.sandbox_control
        return CoinspotPrices(self.exchange_url, paced or self.clock)

    @cached_property
    def trade_source(self) -> TradeSource:
        return CoinspotTrades(self.exchange_url)

    @property
    def reconcile_every_s(self) -> float:
        return self.chosen.reconcile_every_s

    @property
    def poll_s(self) -> float:
        return self.chosen.poll_s

    @cached_property
    def venues(self) -> Venues:
        refusal = self.live_refusal
        return ByMode(self._paper_venues, NoRealMoney(refusal) if refusal else self.live_venues)

    @property
    def _paper_venues(self) -> Venues:
        if self.sandbox_control is None:
            return PricesOnly(self.exchange_url)
        return CoinspotPaperVenues(self.sandbox_control, self.exchange_url, PostgresNonces(self.database), self.terms)

    # Real money.

    @property
    def live_exchange_url(self) -> str:
        return str(self.chosen.live_exchange_url).rstrip("/")

    @property
    def live_refusal(self) -> str | None:
        """Why no real money is traded here: it follows the prices of the exchange that takes its orders, and no tape.
        An exchange that stands in for the real one must be named as such."""
        if self.has_sandbox:
            return (
                "this platform plays a tape, and real money follows an exchange: start it with "
                f"OMC_EXTERNAL_EXCHANGE={self.live_exchange_url}"
            )
        if self.exchange_url != self.live_exchange_url:
            return (
                f"prices come from {self.exchange_url} and live orders would go to {self.live_exchange_url}: "
                "OMC_EXTERNAL_EXCHANGE and OMC_LIVE_EXCHANGE_URL must be the same"
            )
        return None

    @cached_property
    def live_venues(self) -> LiveVenues:
        """Also tries the keys of their owners, whether or not real money is traded here."""
        return LiveVenues(
            self.credentials,
            self.vault,
            PostgresNonces(self.database),
            self.terms,
            base_url=self.live_exchange_url,
            lag_s=self.chosen.venue_lag_s,
            slow_s=self.chosen.venue_slow_s,
        )

    @cached_property
    def venue_facts(self) -> dict[str, VenueFacts]:
        """By the venue's name."""
        facts = VenueFacts("coinspot", CAPABILITIES, self.terms, self.exchange_url, self.live_refusal)
        return {facts.name: facts}

    @property
    def given_vault_keys(self) -> list[str]:
        return keys_of(self.chosen.vault_key)

    @property
    def vault_key_file(self) -> Path:
        return self.home.given_vault_key if self.given_vault_keys else self.home.vault_key

    @cached_property
    def vault(self) -> FileVault:
        return FileVault(self.vault_key_file)

    @cached_property
    def credentials(self) -> PostgresCredentials:
        return PostgresCredentials(self.database)

    # What is durable.

    @cached_property
    def database(self) -> Database:
        return Database(self.home.dsn_file)

    @cached_property
    def prices(self) -> PostgresPrices:
        return PostgresPrices(self.database)

    @cached_property
    def blotter(self) -> PostgresBlotter:
        return PostgresBlotter(self.database)

    @cached_property
    def feed(self) -> PostgresFeed:
        return PostgresFeed(self.database)

    @cached_property
    def deployments(self) -> PostgresDeployments:
        return PostgresDeployments(self.database)

    @cached_property
    def leases(self) -> PostgresLeases:
        return PostgresLeases(self.database)

    @cached_property
    def venue_book(self) -> PostgresVenueBook:
        return PostgresVenueBook(self.database)

    @cached_property
    def catalysts(self) -> PostgresCatalysts:
        return PostgresCatalysts(self.database)

    @cached_property
    def ledgers(self) -> PostgresShelf:
        return PostgresShelf(self.database)

    @cached_property
    def volumes(self) -> PostgresVolumes:
        return PostgresVolumes(self.database)

    @cached_property
    def kill_switch(self) -> PostgresKillSwitch:
        """Its rows; files beside them suffice as well."""
        return PostgresKillSwitch(self.database)

    @cached_property
    def halt_files(self) -> FolderHaltFiles:
        return FolderHaltFiles(self.home.folder, _HALTED if self.chosen.halted else None)

    @cached_property
    def flag(self) -> DurableFlag:
        return DurableFlag(self.kill_switch, self.halt_files, self.clock)

    @cached_property
    def risk(self) -> PostgresRiskStore:
        return PostgresRiskStore(self.database)

    @cached_property
    def algorithms(self) -> PostgresAlgorithms:
        return PostgresAlgorithms(self.database)

    @cached_property
    def backtests(self) -> PostgresBacktests:
        return PostgresBacktests(self.database)

    @cached_property
    def curves(self) -> PostgresCurves:
        return PostgresCurves(self.database)

    @cached_property
    def models(self) -> PostgresModels:
        return PostgresModels(self.database)

    @cached_property
    def sweeps(self) -> PostgresSweeps:
        return PostgresSweeps(self.database)

    @cached_property
    def tries(self) -> PostgresTries:
        return PostgresTries(self.database)

    @cached_property
    def usage(self) -> PostgresUsage:
        return PostgresUsage(self.database)

    @cached_property
    def audit(self) -> PostgresAuditTrail:
        return PostgresAuditTrail(self.database)

    @cached_property
    def users(self) -> PostgresUsers:
        return PostgresUsers(self.database)

    @cached_property
    def api_tokens(self) -> PostgresApiTokens:
        return PostgresApiTokens(self.database)

    @cached_property
    def closing(self) -> PostgresClosing:
        return PostgresClosing(self.database)

    @cached_property
    def lockout(self) -> PostgresLockout:
        return PostgresLockout(self.database)

    @cached_property
    def second_factors(self) -> SecondFactors:
        return SecondFactors(PostgresSecondFactors(self.database), self.vault, self.clock)

    @cached_property
    def refresh_tokens(self) -> PostgresRefreshTokens:
        return PostgresRefreshTokens(self.database)

    @cached_property
    def requests(self) -> PostgresRequests:
        return PostgresRequests(self.database)

    # Limits and gates.

    @property
    def most(self) -> Limits | None:
        """The widest limits that a deployment may ask for."""
        chosen = self.chosen
        order, position = chosen.most_order_notional_aud, chosen.most_position_notional_aud
        if order is None or position is None or chosen.most_daily_loss_aud is None:
            return None
        return Limits(order, position, chosen.most_daily_loss_aud)

    @cached_property
    def platform_bounds(self) -> Bounds:
        """What everybody's deployments of one mode trade within together."""
        chosen = self.chosen
        orders = chosen.platform_orders_a_minute
        return Bounds(
            order_notional_aud=chosen.platform_order_notional_aud,
            gross_notional_aud=chosen.platform_gross_notional_aud,
            daily_loss_aud=chosen.platform_daily_loss_aud,
            drawdown=chosen.platform_drawdown,
            orders_a_minute=Decimal(orders) if orders else None,
        )

    @property
    def sell_out_slippage_bps(self) -> int:
        return self.chosen.sell_out_slippage_bps

    @cached_property
    def thresholds(self) -> Thresholds:
        chosen = self.chosen
        return Thresholds(
            validated=Standard(chosen.validated_min_trades, chosen.validated_min_sharpe, chosen.validated_max_drawdown),
            deployable=StrictStandard(
                min_trades=chosen.deployable_min_trades,
                max_drawdown=chosen.deployable_max_drawdown,
                min_profit=chosen.deployable_min_profit,
                min_out_of_sample_sharpe=chosen.deployable_min_sharpe,
                min_deflated_sharpe=chosen.deployable_min_deflated_sharpe,
                max_pbo=chosen.deployable_max_pbo,
                track_record_confidence=chosen.deployable_track_record_confidence,
            ),
        )

    @cached_property
    def allowance(self) -> Allowance:
        """What each user may have and use in the lab."""
        chosen = self.chosen
        return Allowance(
            algorithms=chosen.quota_algorithms,
            code_bytes=chosen.quota_code_bytes,
            backtests=chosen.quota_backtests,
            sweeps=chosen.quota_sweeps,
            models=chosen.quota_models,
            model_bytes=chosen.quota_model_bytes,
            cpu_s=chosen.quota_cpu_s,
        )

    # Whose code runs.

    @cached_property
    def confinement(self) -> Confinement:
        """As the platform that runs on this home found it when it started; looked at now where none does, and unsafe
        only for whoever asks for it anew."""
        found = Confinement.told((self.home.running() or {}).get("confinement"))
        return found or Confinement.examined(asked=self.chosen.allow_unsafe_sandbox)

    @cached_property
    def floor_maker(self) -> Maker:
        """Makes algorithms, people's own code among them where this machine can confine it."""
        return self._maker(Together())

    @cached_property
    def lab_maker(self) -> Maker:
        """The same for the lab and its sweeps, which leave the last of the machine to the floor: whoever trades must
        not wait for whoever searches."""
        return self._maker(_LAB_TOGETHER)

    def _maker(self, together: Together) -> Maker:
        # Traders, sweeps and the lab share what their sandboxes are forked from, on each machine.
        shared = Sandboxes(meeting=self.home.sandboxes, together=together, unsafe=self.confinement.unsafe)
        return self.confinement.maker(lambda: shared.of, linux=sys.platform == "linux")

    @cached_property
    def logs(self) -> LogStyle:
        """How every replica and actor writes its log."""
        return LogStyle(self.chosen.log_format, self.chosen.log_level)

    # Who comes in.

    @cached_property
    def signer(self) -> JwtSigner:
        return JwtSigner(self.home.jwt_key)

    @cached_property
    def rules(self) -> Rules:
        """How every app's door is kept."""
        chosen = self.chosen
        limits = AskingLimits(
            PostgresRates(self.database),
            account=Rate(chosen.rate_account, chosen.rate_account_burst),
            token=Rate(chosen.rate_token, chosen.rate_token_burst),
            address=Rate(chosen.rate_address, chosen.rate_address_burst),
        )
        return Rules(
            cors_origins=chosen.cors_origins,
            proxies=Proxies(chosen.trusted_proxies),
            limits=limits,
            at_once=chosen.requests_at_once,
            body_s=chosen.request_body_s,
            answer_s=chosen.request_answer_s,
            https=self.tls is not None,
        )

    @cached_property
    def hasher(self) -> Argon2Hasher:
        return Argon2Hasher()

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()
