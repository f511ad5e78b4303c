"""Every operation by its name, written by `make client` from the merged document: change that instead."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from omc.client.answers import Bound, Page
from omc.client.caller import Caller, new_key
from omc.client.models import (
    AcceptIn,
    Account,
    AccountChange,
    ActivateIn,
    AlgorithmChange,
    AlgorithmIn,
    AlgorithmOut,
    AlgorithmPnL,
    AllLimits,
    AuditOut,
    AvailableOut,
    BacktestIn,
    BacktestOut,
    BeginIn,
    CandlePage,
    CatalystPage,
    CoinOut,
    CoinPerformance,
    CoinPnL,
    CollectorOut,
    ConfirmIn,
    CredentialOut,
    DayPnL,
    DecisionOut,
    Deletion,
    DeployIn,
    DeploymentOut,
    DeploymentPnL,
    Described,
    DisposalOut,
    Enrollment,
    ExchangeKeyIn,
    ExchangePage,
    Findings,
    FloorCurve,
    ForceExitIn,
    ForceExitOut,
    GlassPage,
    Health,
    HumanPage,
    LabCurve,
    LastRun,
    LatestOut,
    LimitsChange,
    LockOut,
    Login,
    MeasuresOut,
    ModelIn,
    ModelKeyIn,
    ModelOut,
    NewToken,
    NextStep,
    OffIn,
    OpenTrade,
    OrderOut,
    OtherExchangeKeyIn,
    PairOut,
    ParametersIn,
    ParityOut,
    PasswordChange,
    Performance,
    PeriodOut,
    PointOut,
    PositionOut,
    Profile,
    ProfileChange,
    ProfitOut,
    PromotionIn,
    PromotionOut,
    QuotasOut,
    QuotePage,
    Readiness,
    ReconciliationOut,
    RecoveryCodes,
    RefreshToken,
    Registration,
    ReplaceIn,
    ResetIn,
    ResetOut,
    ResolvedOut,
    ResolveIn,
    RiskEvent,
    RiskStatus,
    SimulatedTrade,
    StateOut,
    StatusOut,
    StopEntryIn,
    StopIn,
    StoppedOut,
    Summary,
    SweepIn,
    SweepOut,
    TemplateOut,
    TokenIn,
    TokenOut,
    Tokens,
    TradeOut,
    ValidateIn,
    VenueOut,
    VerdictOut,
    VersionOut,
)


class Operations(Caller):
    """The platform, an operation a method."""

    def accept_reconciliation(
        self, body: AcceptIn, *, key: str | None = None, code: str | None = None
    ) -> ReconciliationOut:
        """Make our books the venue's: what we claim and it has not is taken out of them, and the account opens.
        CONFLICT while an order is in doubt, or is under way and may still sell what is missing. 202 when the
        venue has not shown yet what it holds: it goes on, and the same Idempotency-Key again accepts nothing
        more and is answered what came of it. An account of real money takes a code of the second factor, where
        there is one.

        A program's token needs the scope `trade`."""
        found: ReconciliationOut = self._ask(
            ReconciliationOut, "POST", "/floor/reconciliation/accept", body=body, key=key or new_key(), code=code
        )
        return found

    def activate_deployment(
        self,
        deployment_id: UUID | str,
        body: ActivateIn | None = None,
        *,
        key: str | None = None,
        code: str | None = None,
    ) -> DeploymentOut:
        """Let it trade. Asking again changes nothing; with a key not even when it was paused since, and one that
        was cut off before it could do anything is a CONFLICT then. For real money it is confirmed again.

        A program's token needs the scope `trade`."""
        found: DeploymentOut = self._ask(
            DeploymentOut,
            "POST",
            f"/floor/algorithms/{deployment_id}/activate",
            body=body,
            key=key or new_key(),
            code=code,
        )
        return found

    def backtest_algorithm(self, algorithm_id: UUID | str, body: BacktestIn, *, key: str | None = None) -> BacktestOut:
        """Queue a backtest of the newest version. It runs whether or not anybody waits for it.

        A program's token needs the scope `lab`."""
        found: BacktestOut = self._ask(
            BacktestOut, "POST", f"/lab/algorithms/{algorithm_id}/backtest", body=body, key=key or new_key()
        )
        return found

    def cancel_order(self, order_id: UUID | str, *, key: str | None = None) -> OrderOut:
        """End an order before its time: what rests on the book is cancelled, slices that are not sent are not.
        Fills are kept, and an order that has ended stays as it is, so asking again is harmless. 202 when the
        venue has not said yet that it is gone.

        A program's token needs the scope `trade`."""
        found: OrderOut = self._ask(OrderOut, "POST", f"/floor/orders/{order_id}/cancel", key=key or new_key())
        return found

    def cancel_sweep(self, sweep_id: UUID | str, *, key: str | None = None) -> SweepOut:
        """Stop it; points tried so far stay. Cancelling again changes nothing.

        A program's token needs the scope `lab`."""
        found: SweepOut = self._ask(SweepOut, "POST", f"/lab/sweeps/{sweep_id}/cancel", key=key or new_key())
        return found

    def change_algorithm(self, algorithm_id: UUID | str, body: AlgorithmChange) -> AlgorithmOut:
        """Change what is named, and nothing else. New code or parameters make a new version, which is a draft
        again.

        A program's token needs the scope `lab`."""
        found: AlgorithmOut = self._ask(AlgorithmOut, "PUT", f"/lab/algorithms/{algorithm_id}", body=body)
        return found

    def change_coinspot_credential(self, body: ExchangeKeyIn, *, code: str | None = None) -> CredentialOut:
        """Put another key in its place. Nothing trades by it before CoinSpot has said that it may.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "PUT", "/credentials/coinspot", body=body, code=code)
        return found

    def change_deployment_parameters(
        self, deployment_id: UUID | str, body: ParametersIn, *, key: str | None = None
    ) -> DeploymentOut:
        """Change what is named, from the next bar on; the others stay. What closes positions stays as it was
        deployed. Real money is traded only with the parameters that the algorithm has passed its gates with.

        A program's token needs the scope `trade`."""
        found: DeploymentOut = self._ask(
            DeploymentOut, "PUT", f"/floor/algorithms/{deployment_id}/parameters", body=body, key=key or new_key()
        )
        return found

    def change_exchange_credential(
        self, exchange: str, body: OtherExchangeKeyIn, *, code: str | None = None
    ) -> CredentialOut:
        """Put another key in its place. Nothing trades by it before the exchange has said that it may.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(
            CredentialOut, "PUT", f"/credentials/exchanges/{exchange}", body=body, code=code
        )
        return found

    def change_llm_credential(self, provider: str, body: ModelKeyIn) -> CredentialOut:
        """Put another key of a provider of language models in its place.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "PUT", f"/credentials/llm/{provider}", body=body)
        return found

    def change_password(self, body: PasswordChange, *, code: str | None = None) -> None:
        """Every session ends: access tokens stop to hold within seconds, and whoever is logged in anywhere has to
        log in again. Where there is a second factor, it takes a code of it besides.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "PUT", "/users/password", body=body, code=code)

    def change_profile(self, body: ProfileChange, *, code: str | None = None) -> Profile:
        """What is left out stays as it is; a `full_name` of null is taken away. Another email, by which its owner
        logs in, takes the password and, where there is a second factor, a code of it: FORBIDDEN with `details`
        of `{"current_password": "required"}` asks for the first.

        For people who are signed in: no program's token suffices."""
        found: Profile = self._ask(Profile, "PUT", "/users/profile", body=body, code=code)
        return found

    def change_risk_limits(self, body: LimitsChange, *, key: str | None = None, code: str | None = None) -> AllLimits:
        """Change what is named; what is null does not bind any more. To loosen what real money is traded within
        takes a code of the second factor, where there is one.

        A program's token needs the scope `trade`."""
        found: AllLimits = self._ask(AllLimits, "PUT", "/floor/risk/limits", body=body, key=key or new_key(), code=code)
        return found

    def change_user(self, user_id: UUID | str, body: AccountChange, *, code: str | None = None) -> Account:
        """What is left out stays as it is. Nobody shuts themselves out. Shutting out and letting in take the
        superuser's own password and, where they have a second factor, a code of it.

        For superusers who are signed in: no program's token suffices."""
        found: Account = self._ask(Account, "PATCH", f"/users/{user_id}", body=body, code=code)
        return found

    def confirm_user_second_factor(self, body: ConfirmIn) -> RecoveryCodes:
        """Switch it on by a first code, and be told the recovery codes.

        For people who are signed in: no program's token suffices."""
        found: RecoveryCodes = self._ask(RecoveryCodes, "POST", "/users/second-factor/confirm", body=body)
        return found

    def create_algorithm(self, body: AlgorithmIn) -> AlgorithmOut:
        """A new draft. Its parameters are stored whole, defaults included, so that they never change by
        themselves. Code that cannot be loaded yet is stored as it is, with the parameters as they were given.

        A program's token needs the scope `lab`."""
        found: AlgorithmOut = self._ask(AlgorithmOut, "POST", "/lab/algorithms", body=body)
        return found

    def create_algorithm_model(self, algorithm_id: UUID | str, body: ModelIn) -> ModelOut:
        """Fit a model. It answers when that is done; the same request again gives the same model.

        A program's token needs the scope `lab`."""
        found: ModelOut = self._ask(ModelOut, "POST", f"/lab/algorithms/{algorithm_id}/models", body=body)
        return found

    def create_algorithm_sweep(self, algorithm_id: UUID | str, body: SweepIn, *, key: str | None = None) -> SweepOut:
        """Queue a sweep of the newest version. It runs whether or not anybody waits for it.

        A program's token needs the scope `lab`."""
        found: SweepOut = self._ask(
            SweepOut, "POST", f"/lab/algorithms/{algorithm_id}/sweeps", body=body, key=key or new_key()
        )
        return found

    def create_coinspot_credential(self, body: ExchangeKeyIn, *, code: str | None = None) -> CredentialOut:
        """Entrust a key to the platform. It is sealed, and CoinSpot is asked at once what it may do.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "POST", "/credentials/coinspot", body=body, code=code)
        return found

    def create_exchange_credential(
        self, exchange: str, body: OtherExchangeKeyIn, *, code: str | None = None
    ) -> CredentialOut:
        """Entrust a key of another exchange to the platform.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(
            CredentialOut, "POST", f"/credentials/exchanges/{exchange}", body=body, code=code
        )
        return found

    def create_llm_credential(self, provider: str, body: ModelKeyIn) -> CredentialOut:
        """Entrust a key of whoever provides language models to the platform.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "POST", f"/credentials/llm/{provider}", body=body)
        return found

    def create_token(self, body: TokenIn) -> NewToken:
        """Make a token for a program. It is shown this once, and nobody can show it again.

        For people who are signed in: no program's token suffices."""
        found: NewToken = self._ask(NewToken, "POST", "/users/tokens", body=body)
        return found

    def deactivate_deployment(self, deployment_id: UUID | str, *, key: str | None = None) -> DeploymentOut:
        """Stop trading for good; what it holds, it keeps.

        A program's token needs the scope `trade`."""
        found: DeploymentOut = self._ask(
            DeploymentOut, "POST", f"/floor/algorithms/{deployment_id}/deactivate", key=key or new_key()
        )
        return found

    def delete_algorithm(self, algorithm_id: UUID | str) -> None:
        """With its versions, backtests and sweeps; refused while a deployment of it is not stopped.

        A program's token needs the scope `lab`."""
        self._ask(None, "DELETE", f"/lab/algorithms/{algorithm_id}")

    def delete_backtest(self, backtest_id: UUID | str) -> None:
        """With its results; one that is queued is not run.

        A program's token needs the scope `lab`."""
        self._ask(None, "DELETE", f"/lab/backtests/{backtest_id}")

    def delete_coinspot_credential(self) -> None:
        """Forget it. Not while a deployment trades live by it.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", "/credentials/coinspot")

    def delete_exchange_credential(self, exchange: str) -> None:
        """Forget it. Not while a deployment trades live by it.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", f"/credentials/exchanges/{exchange}")

    def delete_llm_credential(self, provider: str) -> None:
        """Forget it. Not while a deployment trades live by it.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", f"/credentials/llm/{provider}")

    def delete_lock(self, lock_id: str, *, code: str | None = None) -> LockOut:
        """Lift a halt of one's own, or let a coin be bought again that is kept out. What may trade real money by
        it takes a code of the second factor, where there is one.

        A program's token needs the scope `trade`."""
        found: LockOut = self._ask(LockOut, "DELETE", f"/floor/locks/{lock_id}", code=code)
        return found

    def delete_model(self, model_id: UUID | str) -> None:
        """Refused while a deployment that uses it is not stopped. A queued backtest of it will fail.

        A program's token needs the scope `lab`."""
        self._ask(None, "DELETE", f"/lab/models/{model_id}")

    def delete_profile(self, body: Deletion, *, code: str | None = None) -> None:
        """Delete one's account for good: who one was, all keys, tokens and sessions. Deployments on paper are
        stopped; live ones must be deactivated before. What was traded stays on record, without a name. Where
        there is a second factor, it takes a code of it.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", "/users/profile", body=body, code=code)

    def delete_second_factor(self, body: OffIn) -> None:
        """Switch it off, by the password and a code of the device or a recovery code.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", "/users/second-factor", body=body)

    def delete_token(self, token_id: UUID | str) -> None:
        """End a token. Whoever used it within the last seconds may be believed for five more.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "DELETE", f"/users/tokens/{token_id}")

    def delete_user(self, user_id: UUID | str, body: Deletion, *, code: str | None = None) -> Account:
        """Delete an account for good, as its owner would. It takes the superuser's own password and, where they
        have a second factor, a code of it.

        For superusers who are signed in: no program's token suffices."""
        found: Account = self._ask(Account, "DELETE", f"/users/{user_id}", body=body, code=code)
        return found

    def deploy(self, body: DeployIn, *, key: str | None = None, code: str | None = None) -> DeploymentOut:
        """Put an algorithm to work with its own cash. It is active at once: its trader starts by itself.

        A program's token needs the scope `trade`."""
        found: DeploymentOut = self._ask(
            DeploymentOut, "POST", "/floor/deploy", body=body, key=key or new_key(), code=code
        )
        return found

    def emergency_stop(self, body: StopIn | None = None, *, key: str | None = None) -> StoppedOut:
        """Halt the account at once, pause its deployments, cancel its open orders; it stays so across restarts.

        A program's token needs the scope `trade`."""
        found: StoppedOut = self._ask(StoppedOut, "POST", "/floor/emergency-stop", body=body, key=key or new_key())
        return found

    def forceexit(self, body: ForceExitIn, *, key: str | None = None) -> ForceExitOut:
        """Sell at once what a deployment holds. It goes on trading, and buys none of it again until its algorithm
        has let go of the coin by a weight of 0, or the lock is lifted.

        A program's token needs the scope `trade`."""
        found: ForceExitOut = self._ask(ForceExitOut, "POST", "/floor/forceexit", body=body, key=key or new_key())
        return found

    def get_algorithm(self, algorithm_id: UUID | str) -> AlgorithmOut:
        """One of them, at its newest version.

        A program's token needs the scope `read`."""
        found: AlgorithmOut = self._ask(AlgorithmOut, "GET", f"/lab/algorithms/{algorithm_id}")
        return found

    def get_algorithm_description(self, algorithm_id: UUID | str) -> Described:
        """Its parameters with their ranges, and the space that a sweep of it would search.

        A program's token needs the scope `read`."""
        found: Described = self._ask(Described, "GET", f"/lab/algorithms/{algorithm_id}/description")
        return found

    def get_algorithm_promotion(
        self, algorithm_id: UUID | str, *, sweep_id: UUID | None = None, model_id: UUID | None = None
    ) -> NextStep:
        """Every gate of the next step with its figure and its threshold; nothing changes.

        A program's token needs the scope `read`."""
        found: NextStep = self._ask(
            NextStep,
            "GET",
            f"/lab/algorithms/{algorithm_id}/promotion",
            query={"sweep_id": sweep_id, "model_id": model_id},
        )
        return found

    def get_algorithm_version(self, algorithm_id: UUID | str, number: int) -> VersionOut:
        """One of them, with its code and parameters.

        A program's token needs the scope `read`."""
        found: VersionOut = self._ask(VersionOut, "GET", f"/lab/algorithms/{algorithm_id}/versions/{number}")
        return found

    def get_backtest(self, backtest_id: UUID | str) -> BacktestOut:
        """How far it is, and its metrics once it is completed.

        A program's token needs the scope `read`."""
        found: BacktestOut = self._ask(BacktestOut, "GET", f"/lab/backtests/{backtest_id}")
        return found

    def get_backtest_equity(self, backtest_id: UUID | str, *, points: int | None = None) -> LabCurve:
        """What everything was worth, the cash in it, and the benchmark.

        A program's token needs the scope `read`."""
        found: LabCurve = self._ask(LabCurve, "GET", f"/lab/backtests/{backtest_id}/equity", query={"points": points})
        return found

    def get_backtest_report(self, backtest_id: UUID | str) -> str:
        """A tear sheet: one page that loads nothing, to look at and to keep.

        A program's token needs the scope `read`."""
        found: str = self._ask(str, "GET", f"/lab/backtests/{backtest_id}/report")
        return found

    def get_coinspot_credential(self) -> CredentialOut:
        """Masked.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "GET", "/credentials/coinspot")
        return found

    def get_collector(self, ledger: str) -> CollectorOut:
        """One of them.

        A program's token needs the scope `read`."""
        found: CollectorOut = self._ask(CollectorOut, "GET", f"/collectors/{ledger}")
        return found

    def get_daily(
        self,
        *,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        timescale: int | None = None,
    ) -> list[PeriodOut]:
        """Profit by day of the account's time zone.

        A program's token needs the scope `read`."""
        found: list[PeriodOut] = self._ask(
            list[PeriodOut],
            "GET",
            "/floor/daily",
            query={"deployment_id": deployment_id, "mode": mode, "timescale": timescale},
        )
        return found

    def get_deployment(self, deployment_id: UUID | str) -> DeploymentOut:
        """What it was deployed with, and whether it is wanted to run.

        A program's token needs the scope `read`."""
        found: DeploymentOut = self._ask(DeploymentOut, "GET", f"/floor/deployments/{deployment_id}")
        return found

    def get_deployment_equity(self, deployment_id: UUID | str) -> FloorCurve:
        """Its equity over time, thinned.

        A program's token needs the scope `read`."""
        found: FloorCurve = self._ask(FloorCurve, "GET", f"/floor/algorithms/{deployment_id}/equity")
        return found

    def get_deployment_parity(self, deployment_id: UUID | str) -> ParityOut:
        """Run the kernel over the bars that the deployment has finished, and compare trade by trade.

        A program's token needs the scope `read`."""
        found: ParityOut = self._ask(ParityOut, "GET", f"/floor/algorithms/{deployment_id}/parity")
        return found

    def get_deployment_performance(self, deployment_id: UUID | str) -> Performance:
        """What it has earned, and how well.

        A program's token needs the scope `read`."""
        found: Performance = self._ask(Performance, "GET", f"/floor/algorithms/{deployment_id}/performance")
        return found

    def get_deployment_report(self, deployment_id: UUID | str) -> str:
        """The floor and its backtest on one page to print, which loads nothing.

        A program's token needs the scope `read`."""
        found: str = self._ask(str, "GET", f"/floor/algorithms/{deployment_id}/report")
        return found

    def get_deployment_status(self, deployment_id: UUID | str) -> StatusOut:
        """Whatever is known, though the trader, the collector or the supervisor should be away.

        A program's token needs the scope `read`."""
        found: StatusOut = self._ask(StatusOut, "GET", f"/floor/algorithms/{deployment_id}/status")
        return found

    def get_exchange_credential(self, exchange: str) -> CredentialOut:
        """Masked.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "GET", f"/credentials/exchanges/{exchange}")
        return found

    def get_health(self) -> Health:
        """We live: nothing else is asked."""
        found: Health = self._ask(Health, "GET", "/health", signed=False)
        return found

    def get_internal_collector_last_run(self) -> LastRun:
        """When it ran last, and what came of it.

        For superusers who are signed in: no program's token suffices."""
        found: LastRun = self._ask(LastRun, "GET", "/internal/collector/last-run")
        return found

    def get_internal_collector_status(self) -> CollectorOut:
        """How the exchange's collector is doing.

        For superusers who are signed in: no program's token suffices."""
        found: CollectorOut = self._ask(CollectorOut, "GET", "/internal/collector/status")
        return found

    def get_llm_credential(self, provider: str) -> CredentialOut:
        """Masked.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "GET", f"/credentials/llm/{provider}")
        return found

    def get_metric(
        self,
        coin: str,
        *,
        interval: Literal["5m", "15m", "1h", "4h", "1d"] | None = None,
        window: int | None = None,
        averages: list[int] | None = None,
        with_: str | None = None,
        at: datetime | None = None,
    ) -> MeasuresOut:
        """Derived from what is stored of one coin, as it was known at one moment.

        A program's token needs the scope `read`."""
        found: MeasuresOut = self._ask(
            MeasuresOut,
            "GET",
            f"/data/metrics/{coin}",
            query={"interval": interval, "window": window, "averages": averages, "with": with_, "at": at},
        )
        return found

    def get_model(self, model_id: UUID | str) -> ModelOut:
        """What it was fitted with; what it has learned leaves the platform by no way.

        A program's token needs the scope `read`."""
        found: ModelOut = self._ask(ModelOut, "GET", f"/lab/models/{model_id}")
        return found

    def get_monthly(
        self,
        *,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        timescale: int | None = None,
    ) -> list[PeriodOut]:
        """Profit by month.

        A program's token needs the scope `read`."""
        found: list[PeriodOut] = self._ask(
            list[PeriodOut],
            "GET",
            "/floor/monthly",
            query={"deployment_id": deployment_id, "mode": mode, "timescale": timescale},
        )
        return found

    def get_order(self, order_id: UUID | str) -> OrderOut:
        """How it stands, with its fills.

        A program's token needs the scope `read`."""
        found: OrderOut = self._ask(OrderOut, "GET", f"/floor/orders/{order_id}")
        return found

    def get_pnl_summary(
        self,
        *,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        method: Literal["average", "fifo"] | None = None,
    ) -> Summary:
        """Of all deployments, or of one.

        A program's token needs the scope `read`."""
        found: Summary = self._ask(
            Summary,
            "GET",
            "/floor/pnl/summary",
            query={"start": start, "end": end, "deployment_id": deployment_id, "mode": mode, "method": method},
        )
        return found

    def get_profile(self) -> Profile:
        """Who is asking.

        For people who are signed in: no program's token suffices."""
        found: Profile = self._ask(Profile, "GET", "/users/profile")
        return found

    def get_profit(
        self, *, deployment_id: UUID | None = None, mode: Literal["paper", "live"] | None = None
    ) -> ProfitOut:
        """All trades together.

        A program's token needs the scope `read`."""
        found: ProfitOut = self._ask(
            ProfitOut, "GET", "/floor/profit", query={"deployment_id": deployment_id, "mode": mode}
        )
        return found

    def get_quota(self) -> QuotasOut:
        """What the caller may have and use, and how much of it is used. Over it, requests answer 429.

        A program's token needs the scope `read`."""
        found: QuotasOut = self._ask(QuotasOut, "GET", "/lab/quota")
        return found

    def get_ready(self) -> Readiness:
        """A row for each dependency; 503 with the same rows in `details` unless all of them answer. Each replica
        asks them at most once a second, however often it is asked."""
        found: Readiness = self._ask(Readiness, "GET", "/ready", signed=False)
        return found

    def get_risk_limits(self) -> AllLimits:
        """What every deployment, the account and the platform trade within.

        A program's token needs the scope `read`."""
        found: AllLimits = self._ask(AllLimits, "GET", "/floor/risk/limits")
        return found

    def get_risk_status(self) -> RiskStatus:
        """Whether anything is halted, and how much of its limits is used, by the newest quotes.

        A program's token needs the scope `read`."""
        found: RiskStatus = self._ask(RiskStatus, "GET", "/floor/risk/status")
        return found

    def get_second_factor(self) -> StateOut:
        """Whether live trading asks for a code.

        For people who are signed in: no program's token suffices."""
        found: StateOut = self._ask(StateOut, "GET", "/users/second-factor")
        return found

    def get_sweep(self, sweep_id: UUID | str) -> SweepOut:
        """How far it is, and what it searches.

        A program's token needs the scope `read`."""
        found: SweepOut = self._ask(SweepOut, "GET", f"/lab/sweeps/{sweep_id}")
        return found

    def get_sweep_report(self, sweep_id: UUID | str) -> str:
        """A tear sheet of what was tried so far: one page that loads nothing, to look at and to keep.

        A program's token needs the scope `read`."""
        found: str = self._ask(str, "GET", f"/lab/sweeps/{sweep_id}/report")
        return found

    def get_sweep_verdict(self, sweep_id: UUID | str) -> VerdictOut:
        """Of what was tried so far: out-of-sample Sharpe ratio, probability of overfitting, deflated Sharpe ratio.

        A program's token needs the scope `read`."""
        found: VerdictOut = self._ask(VerdictOut, "GET", f"/lab/sweeps/{sweep_id}/verdict")
        return found

    def get_user(self, user_id: UUID | str) -> Account:
        """One account.

        For superusers who are signed in: no program's token suffices."""
        found: Account = self._ask(Account, "GET", f"/users/{user_id}")
        return found

    def get_venue(self, venue: str) -> VenueOut:
        """What it can do, what each gap means, and what it costs.

        A program's token needs the scope `read`."""
        found: VenueOut = self._ask(VenueOut, "GET", f"/floor/venues/{venue}")
        return found

    def get_weekly(
        self,
        *,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        timescale: int | None = None,
    ) -> list[PeriodOut]:
        """Profit by week, from Monday.

        A program's token needs the scope `read`."""
        found: list[PeriodOut] = self._ask(
            list[PeriodOut],
            "GET",
            "/floor/weekly",
            query={"deployment_id": deployment_id, "mode": mode, "timescale": timescale},
        )
        return found

    def list_algorithm_backtests(
        self, algorithm_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[BacktestOut]:
        """Newest first.

        A program's token needs the scope `read`."""
        found: Page[BacktestOut] = self._ask(
            Page[BacktestOut],
            "GET",
            f"/lab/algorithms/{algorithm_id}/backtests",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_algorithm_models(
        self, algorithm_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[ModelOut]:
        """Newest first.

        A program's token needs the scope `read`."""
        found: Page[ModelOut] = self._ask(
            Page[ModelOut], "GET", f"/lab/algorithms/{algorithm_id}/models", query={"page": page, "per_page": per_page}
        )
        return found

    def list_algorithm_versions(
        self, algorithm_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[VersionOut]:
        """Oldest first.

        A program's token needs the scope `read`."""
        found: Page[VersionOut] = self._ask(
            Page[VersionOut],
            "GET",
            f"/lab/algorithms/{algorithm_id}/versions",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_algorithms(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        status: Literal["draft", "validated", "deployable", "deployed"] | None = None,
    ) -> Page[AlgorithmOut]:
        """One's own, of one status or of all.

        A program's token needs the scope `read`."""
        found: Page[AlgorithmOut] = self._ask(
            Page[AlgorithmOut], "GET", "/lab/algorithms", query={"page": page, "per_page": per_page, "status": status}
        )
        return found

    def list_audit(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        action: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
    ) -> Page[AuditOut]:
        """Newest first. Nothing in it can be changed or taken out.

        A program's token needs the scope `read`."""
        found: Page[AuditOut] = self._ask(
            Page[AuditOut],
            "GET",
            "/audit",
            query={"page": page, "per_page": per_page, "action": action, "start": start, "end": end},
        )
        return found

    def list_available_algorithms(self, *, page: int | None = None, per_page: int | None = None) -> Page[AvailableOut]:
        """Algorithms that may be deployed.

        A program's token needs the scope `read`."""
        found: Page[AvailableOut] = self._ask(
            Page[AvailableOut], "GET", "/floor/available-algorithms", query={"page": page, "per_page": per_page}
        )
        return found

    def list_backtest_trades(
        self, backtest_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[SimulatedTrade]:
        """In the order of their execution.

        A program's token needs the scope `read`."""
        found: Page[SimulatedTrade] = self._ask(
            Page[SimulatedTrade],
            "GET",
            f"/lab/backtests/{backtest_id}/trades",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_coins(self, *, page: int | None = None, per_page: int | None = None) -> Page[CoinOut]:
        """Coins whose prices are stored, by ticker.

        A program's token needs the scope `read`."""
        found: Page[CoinOut] = self._ask(
            Page[CoinOut], "GET", "/data/coins", query={"page": page, "per_page": per_page}
        )
        return found

    def list_collectors(self, *, page: int | None = None, per_page: int | None = None) -> Page[CollectorOut]:
        """Every collector, one that does not answer included.

        A program's token needs the scope `read`."""
        found: Page[CollectorOut] = self._ask(
            Page[CollectorOut], "GET", "/collectors", query={"page": page, "per_page": per_page}
        )
        return found

    def list_credentials(self, *, page: int | None = None, per_page: int | None = None) -> Page[CredentialOut]:
        """All keys of the caller.

        For people who are signed in: no program's token suffices."""
        found: Page[CredentialOut] = self._ask(
            Page[CredentialOut], "GET", "/credentials", query={"page": page, "per_page": per_page}
        )
        return found

    def list_deployment_decisions(
        self, deployment_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[DecisionOut]:
        """Newest first; a bar that changed nothing is not listed.

        A program's token needs the scope `read`."""
        found: Page[DecisionOut] = self._ask(
            Page[DecisionOut],
            "GET",
            f"/floor/algorithms/{deployment_id}/decisions",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_deployment_orders(
        self, deployment_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[OrderOut]:
        """A deployment's, newest first.

        A program's token needs the scope `read`."""
        found: Page[OrderOut] = self._ask(
            Page[OrderOut],
            "GET",
            f"/floor/algorithms/{deployment_id}/orders",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_deployment_parity_trades(
        self,
        deployment_id: UUID | str,
        *,
        page: int | None = None,
        per_page: int | None = None,
        only: Literal["different"] | None = None,
    ) -> Page[PairOut]:
        """Each trade beside its twin, oldest first.

        A program's token needs the scope `read`."""
        found: Page[PairOut] = self._ask(
            Page[PairOut],
            "GET",
            f"/floor/algorithms/{deployment_id}/parity/trades",
            query={"page": page, "per_page": per_page, "only": only},
        )
        return found

    def list_deployment_positions(
        self, deployment_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[PositionOut]:
        """What a deployment holds, at the newest quotes.

        A program's token needs the scope `read`."""
        found: Page[PositionOut] = self._ask(
            Page[PositionOut],
            "GET",
            f"/floor/algorithms/{deployment_id}/positions",
            query={"page": page, "per_page": per_page},
        )
        return found

    def list_deployment_trades(
        self,
        deployment_id: UUID | str,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
    ) -> Page[TradeOut]:
        """A deployment's, newest first.

        A program's token needs the scope `read`."""
        found: Page[TradeOut] = self._ask(
            Page[TradeOut],
            "GET",
            f"/floor/algorithms/{deployment_id}/trades",
            query={"page": page, "per_page": per_page, "start": start, "end": end},
        )
        return found

    def list_deployments(self, *, page: int | None = None, per_page: int | None = None) -> Page[DeploymentOut]:
        """Newest first.

        A program's token needs the scope `read`."""
        found: Page[DeploymentOut] = self._ask(
            Page[DeploymentOut], "GET", "/floor/deployments", query={"page": page, "per_page": per_page}
        )
        return found

    def list_historical(
        self,
        *,
        coin: str,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        interval: Literal["5m", "15m", "1h", "4h", "1d"] | None = None,
    ) -> QuotePage | CandlePage:
        """One coin's prices, oldest first: quotes every five minutes, or candles made of them.

        Every bar from the first to the last stored price is there, those without a quote as gaps, so a page
        covers the same time however deep it lies. With `Accept: text/csv` or
        `application/vnd.apache.arrow.stream`, or `format`, all bars come in one answer.

        A program's token needs the scope `read`."""
        found: QuotePage | CandlePage = self._ask(
            QuotePage | CandlePage,
            "GET",
            "/lab/data/historical",
            query={
                "coin": coin,
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "start": start,
                "end": end,
                "interval": interval,
            },
        )
        return found

    def list_latest_prices(
        self, *, page: int | None = None, per_page: int | None = None, coin: str | None = None
    ) -> Page[LatestOut]:
        """The hot cache, by ticker.

        A program's token needs the scope `read`."""
        found: Page[LatestOut] = self._ask(
            Page[LatestOut], "GET", "/data/prices/latest", query={"page": page, "per_page": per_page, "coin": coin}
        )
        return found

    def list_ledger_catalyst(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        source: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        coin: str | None = None,
    ) -> CatalystPage:
        """Events that may move a price, the newest first, naming one `coin` or any.

        A program's token needs the scope `read`."""
        found: CatalystPage = self._ask(
            CatalystPage,
            "GET",
            "/data/ledgers/catalyst",
            query={
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "source": source,
                "start": start,
                "end": end,
                "coin": coin,
            },
        )
        return found

    def list_ledger_exchange(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        source: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        coin: str | None = None,
    ) -> ExchangePage:
        """Quotes as the venue showed them, the newest first, of one `coin` or all.

        A program's token needs the scope `read`."""
        found: ExchangePage = self._ask(
            ExchangePage,
            "GET",
            "/data/ledgers/exchange",
            query={
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "source": source,
                "start": start,
                "end": end,
                "coin": coin,
            },
        )
        return found

    def list_ledger_glass(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        source: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        protocol: str | None = None,
    ) -> GlassPage:
        """Metrics of protocols on the chains, the newest first, of one `protocol` or all.

        A program's token needs the scope `read`."""
        found: GlassPage = self._ask(
            GlassPage,
            "GET",
            "/data/ledgers/glass",
            query={
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "source": source,
                "start": start,
                "end": end,
                "protocol": protocol,
            },
        )
        return found

    def list_ledger_human(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        source: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        coin: str | None = None,
    ) -> HumanPage:
        """News and social media with their sentiment, the newest first, naming one `coin` or any.

        A program's token needs the scope `read`."""
        found: HumanPage = self._ask(
            HumanPage,
            "GET",
            "/data/ledgers/human",
            query={
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "source": source,
                "start": start,
                "end": end,
                "coin": coin,
            },
        )
        return found

    def list_locks(
        self, *, page: int | None = None, per_page: int | None = None, deployment_id: UUID | None = None
    ) -> Page[LockOut]:
        """Halts, cool-downs, orders that wait for a person, coins that are kept out, and accounts that are closed.

        A program's token needs the scope `read`."""
        found: Page[LockOut] = self._ask(
            Page[LockOut],
            "GET",
            "/floor/locks",
            query={"page": page, "per_page": per_page, "deployment_id": deployment_id},
        )
        return found

    def list_order_slices(
        self, order_id: UUID | str, *, page: int | None = None, per_page: int | None = None
    ) -> Page[OrderOut]:
        """The orders that carry out parts of one, oldest first.

        A program's token needs the scope `read`."""
        found: Page[OrderOut] = self._ask(
            Page[OrderOut], "GET", f"/floor/orders/{order_id}/slices", query={"page": page, "per_page": per_page}
        )
        return found

    def list_orders(self, *, page: int | None = None, per_page: int | None = None) -> Page[OrderOut]:
        """Of all deployments, newest first.

        A program's token needs the scope `read`."""
        found: Page[OrderOut] = self._ask(
            Page[OrderOut], "GET", "/floor/orders", query={"page": page, "per_page": per_page}
        )
        return found

    def list_performance(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
    ) -> Page[CoinPerformance]:
        """Closed trades by coin, the most profitable first.

        A program's token needs the scope `read`."""
        found: Page[CoinPerformance] = self._ask(
            Page[CoinPerformance],
            "GET",
            "/floor/performance",
            query={"page": page, "per_page": per_page, "deployment_id": deployment_id, "mode": mode},
        )
        return found

    def list_pnl_by_algorithm(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        method: Literal["average", "fifo"] | None = None,
    ) -> Page[AlgorithmPnL]:
        """Algorithms that traded, each over all of its deployments.

        A program's token needs the scope `read`."""
        found: Page[AlgorithmPnL] = self._ask(
            Page[AlgorithmPnL],
            "GET",
            "/floor/pnl/by-algorithm",
            query={
                "page": page,
                "per_page": per_page,
                "start": start,
                "end": end,
                "deployment_id": deployment_id,
                "mode": mode,
                "method": method,
            },
        )
        return found

    def list_pnl_by_coin(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        method: Literal["average", "fifo"] | None = None,
    ) -> Page[CoinPnL]:
        """Coins that were traded, by ticker.

        A program's token needs the scope `read`."""
        found: Page[CoinPnL] = self._ask(
            Page[CoinPnL],
            "GET",
            "/floor/pnl/by-coin",
            query={
                "page": page,
                "per_page": per_page,
                "start": start,
                "end": end,
                "deployment_id": deployment_id,
                "mode": mode,
                "method": method,
            },
        )
        return found

    def list_pnl_by_day(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        method: Literal["average", "fifo"] | None = None,
    ) -> Page[DayPnL]:
        """Days on which something was traded, newest first, after what is held now.

        A program's token needs the scope `read`."""
        found: Page[DayPnL] = self._ask(
            Page[DayPnL],
            "GET",
            "/floor/pnl/by-day",
            query={
                "page": page,
                "per_page": per_page,
                "start": start,
                "end": end,
                "deployment_id": deployment_id,
                "mode": mode,
                "method": method,
            },
        )
        return found

    def list_pnl_by_deployment(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        method: Literal["average", "fifo"] | None = None,
    ) -> Page[DeploymentPnL]:
        """Deployments that traded, the newest first.

        A program's token needs the scope `read`."""
        found: Page[DeploymentPnL] = self._ask(
            Page[DeploymentPnL],
            "GET",
            "/floor/pnl/by-deployment",
            query={
                "page": page,
                "per_page": per_page,
                "start": start,
                "end": end,
                "deployment_id": deployment_id,
                "mode": mode,
                "method": method,
            },
        )
        return found

    def list_pnl_disposals(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
        year: str | None = None,
        coin: str | None = None,
        pooled: bool | None = None,
    ) -> Page[DisposalOut]:
        """First in, first out, oldest disposal first. With `format=csv` all of them, in one file.

        A program's token needs the scope `read`."""
        found: Page[DisposalOut] = self._ask(
            Page[DisposalOut],
            "GET",
            "/floor/pnl/disposals",
            query={
                "page": page,
                "per_page": per_page,
                "start": start,
                "end": end,
                "deployment_id": deployment_id,
                "mode": mode,
                "year": year,
                "coin": coin,
                "pooled": pooled,
            },
        )
        return found

    def list_positions(self, *, page: int | None = None, per_page: int | None = None) -> Page[PositionOut]:
        """What all deployments hold, and what they held and sold.

        A program's token needs the scope `read`."""
        found: Page[PositionOut] = self._ask(
            Page[PositionOut], "GET", "/floor/positions", query={"page": page, "per_page": per_page}
        )
        return found

    def list_prices(
        self,
        *,
        coin: str,
        page: int | None = None,
        per_page: int | None = None,
        cursor: str | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
        interval: Literal["5m", "15m", "1h", "4h", "1d"] | None = None,
    ) -> QuotePage | CandlePage:
        """One coin's prices, oldest first: quotes every five minutes, or candles made of them.

        Every bar from the first to the last stored price is there, those without a quote as gaps, so a page
        covers the same time however deep it lies. With `Accept: text/csv` or
        `application/vnd.apache.arrow.stream`, or `format`, all bars come in one answer.

        A program's token needs the scope `read`."""
        found: QuotePage | CandlePage = self._ask(
            QuotePage | CandlePage,
            "GET",
            "/data/prices",
            query={
                "coin": coin,
                "page": page,
                "per_page": per_page,
                "cursor": cursor,
                "start": start,
                "end": end,
                "interval": interval,
            },
        )
        return found

    def list_reconciliation(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        deployment_id: UUID | None = None,
        now: bool | None = None,
    ) -> Page[ReconciliationOut]:
        """Our books beside the venue's, deployment by deployment, with the orders that wait for a person.

        A program's token needs the scope `read`."""
        found: Page[ReconciliationOut] = self._ask(
            Page[ReconciliationOut],
            "GET",
            "/floor/reconciliation",
            query={"page": page, "per_page": per_page, "deployment_id": deployment_id, "now": now},
        )
        return found

    def list_risk_events(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        kind: Literal["breach", "halt", "reset", "limits"] | None = None,
        deployment_id: UUID | None = None,
    ) -> Page[RiskEvent]:
        """Limits that were broken, halts, resets and changes of limits, newest first.

        A program's token needs the scope `read`."""
        found: Page[RiskEvent] = self._ask(
            Page[RiskEvent],
            "GET",
            "/floor/risk/events",
            query={"page": page, "per_page": per_page, "kind": kind, "deployment_id": deployment_id},
        )
        return found

    def list_status(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        deployment_id: UUID | None = None,
        mode: Literal["paper", "live"] | None = None,
    ) -> Page[OpenTrade]:
        """What is held, deployment by deployment, oldest first.

        A program's token needs the scope `read`."""
        found: Page[OpenTrade] = self._ask(
            Page[OpenTrade],
            "GET",
            "/floor/status",
            query={"page": page, "per_page": per_page, "deployment_id": deployment_id, "mode": mode},
        )
        return found

    def list_sweep_results(
        self,
        sweep_id: UUID | str,
        *,
        page: int | None = None,
        per_page: int | None = None,
        sort: Literal[
            "index",
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
        ]
        | None = None,
        order: Literal["asc", "desc"] | None = None,
    ) -> Page[PointOut]:
        """Points in their order; with `format=csv` or `parquet` all of them at once.

        A program's token needs the scope `read`."""
        found: Page[PointOut] = self._ask(
            Page[PointOut],
            "GET",
            f"/lab/sweeps/{sweep_id}/results",
            query={"page": page, "per_page": per_page, "sort": sort, "order": order},
        )
        return found

    def list_sweeps(self, *, page: int | None = None, per_page: int | None = None) -> Page[SweepOut]:
        """Newest first.

        A program's token needs the scope `read`."""
        found: Page[SweepOut] = self._ask(
            Page[SweepOut], "GET", "/lab/sweeps", query={"page": page, "per_page": per_page}
        )
        return found

    def list_templates(self, *, page: int | None = None, per_page: int | None = None) -> Page[TemplateOut]:
        """The built-in algorithms, ready to copy.

        A program's token needs the scope `read`."""
        found: Page[TemplateOut] = self._ask(
            Page[TemplateOut], "GET", "/lab/templates", query={"page": page, "per_page": per_page}
        )
        return found

    def list_tokens(self, *, page: int | None = None, per_page: int | None = None) -> Page[TokenOut]:
        """Your tokens, the newest first: what they are for, and when each was last used.

        For people who are signed in: no program's token suffices."""
        found: Page[TokenOut] = self._ask(
            Page[TokenOut], "GET", "/users/tokens", query={"page": page, "per_page": per_page}
        )
        return found

    def list_trades(
        self,
        *,
        page: int | None = None,
        per_page: int | None = None,
        start: Bound | None = None,
        end: Bound | None = None,
    ) -> Page[TradeOut]:
        """Of all deployments, newest first.

        A program's token needs the scope `read`."""
        found: Page[TradeOut] = self._ask(
            Page[TradeOut],
            "GET",
            "/floor/trades",
            query={"page": page, "per_page": per_page, "start": start, "end": end},
        )
        return found

    def list_users(
        self, *, page: int | None = None, per_page: int | None = None, email: str | None = None
    ) -> Page[Account]:
        """Every account, the oldest first.

        For superusers who are signed in: no program's token suffices."""
        found: Page[Account] = self._ask(
            Page[Account], "GET", "/users", query={"page": page, "per_page": per_page, "email": email}
        )
        return found

    def list_venues(self, *, page: int | None = None, per_page: int | None = None) -> Page[VenueOut]:
        """By name.

        A program's token needs the scope `read`."""
        found: Page[VenueOut] = self._ask(
            Page[VenueOut], "GET", "/floor/venues", query={"page": page, "per_page": per_page}
        )
        return found

    def login(self, body: Login) -> Tokens:
        """An access token for a quarter of an hour, and a refresh token that buys the next one, once. Whoever
        fails too often, at one account or from one address, has to wait for up to a quarter of an hour."""
        found: Tokens = self._ask(Tokens, "POST", "/auth/login", body=body, signed=False)
        return found

    def logout(self, body: RefreshToken) -> None:
        """End the family of a refresh token. The access token lasts its quarter of an hour.

        For people who are signed in: no program's token suffices."""
        self._ask(None, "POST", "/auth/logout", body=body)

    def pause_collector(self, ledger: str) -> CollectorOut:
        """Have it ask nothing more until it is resumed, or started anew. For superusers.

        For superusers who are signed in: no program's token suffices."""
        found: CollectorOut = self._ask(CollectorOut, "POST", f"/collectors/{ledger}/pause")
        return found

    def pause_deployment(self, deployment_id: UUID | str, *, key: str | None = None) -> DeploymentOut:
        """Stop trading until it is activated; what it holds, it keeps.

        A program's token needs the scope `trade`."""
        found: DeploymentOut = self._ask(
            DeploymentOut, "POST", f"/floor/algorithms/{deployment_id}/pause", key=key or new_key()
        )
        return found

    def promote_algorithm(
        self, algorithm_id: UUID | str, body: PromotionIn | None = None, *, key: str | None = None
    ) -> PromotionOut:
        """One step up. Refused, it lists every gate with its figure and its threshold, and nothing has changed.

        A program's token needs the scope `lab`."""
        found: PromotionOut = self._ask(
            PromotionOut, "POST", f"/lab/algorithms/{algorithm_id}/promote", body=body, key=key or new_key()
        )
        return found

    def refresh(self, body: RefreshToken) -> Tokens:
        """Swap a refresh token for a new pair. One that was swapped before ends its whole family."""
        found: Tokens = self._ask(Tokens, "POST", "/auth/refresh", body=body, signed=False)
        return found

    def register(self, body: Registration) -> Profile:
        """Open an account."""
        found: Profile = self._ask(Profile, "POST", "/users/register", body=body, signed=False)
        return found

    def replace_order(self, order_id: UUID | str, body: ReplaceIn, *, key: str | None = None) -> OrderOut:
        """Move the limit of an order that rests on the book. CONFLICT when it does not rest there, our risk book
        says no, or the venue did not move it; asked for again at the price where it stands, nothing happens.
        202 when the venue has not said yet whether it was moved.

        A program's token needs the scope `trade`."""
        found: OrderOut = self._ask(
            OrderOut, "POST", f"/floor/orders/{order_id}/replace", body=body, key=key or new_key()
        )
        return found

    def reset_emergency_stop(
        self, body: ResetIn | None = None, *, key: str | None = None, code: str | None = None
    ) -> ResetOut:
        """Let it trade again; deployments stay paused until each is activated. Losses that halted it are measured
        anew from here, and all others go on to count. A halt that began after `until` is not reset, nor one
        that began after this request, where it comes again with its key. What may trade real money by it takes
        a code of the second factor, where there is one.

        A program's token needs the scope `trade`."""
        found: ResetOut = self._ask(
            ResetOut, "POST", "/floor/emergency-stop/reset", body=body, key=key or new_key(), code=code
        )
        return found

    def resolve_order(self, order_id: UUID | str, body: ResolveIn, *, key: str | None = None) -> ResolvedOut:
        """Say what an order became that only you can tell. It is settled so, and what was not its own is yours.

        A program's token needs the scope `trade`."""
        found: ResolvedOut = self._ask(
            ResolvedOut, "POST", f"/floor/reconciliation/{order_id}/resolve", body=body, key=key or new_key()
        )
        return found

    def restore_algorithm_version(self, algorithm_id: UUID | str, number: int) -> AlgorithmOut:
        """Make what a version was the newest version again, as a draft.

        A program's token needs the scope `lab`."""
        found: AlgorithmOut = self._ask(
            AlgorithmOut, "POST", f"/lab/algorithms/{algorithm_id}/versions/{number}/restore"
        )
        return found

    def resume_collector(self, ledger: str) -> CollectorOut:
        """Have it go on. For superusers.

        For superusers who are signed in: no program's token suffices."""
        found: CollectorOut = self._ask(CollectorOut, "POST", f"/collectors/{ledger}/resume")
        return found

    def resume_sweep(self, sweep_id: UUID | str, *, key: str | None = None) -> SweepOut:
        """Go on with one that failed or was interrupted: points tried so far stay, and the rest comes to the same
        results as if nothing had happened. One that is under way is left alone.

        A program's token needs the scope `lab`."""
        found: SweepOut = self._ask(SweepOut, "POST", f"/lab/sweeps/{sweep_id}/resume", key=key or new_key())
        return found

    def second_factor(self, body: BeginIn) -> Enrollment:
        """Set one up. It asks for nothing before a code of it was confirmed; until then, asking again makes
        another.

        For people who are signed in: no program's token suffices."""
        found: Enrollment = self._ask(Enrollment, "POST", "/users/second-factor", body=body)
        return found

    def stopentry(self, body: StopEntryIn | None = None, *, key: str | None = None) -> StoppedOut:
        """Buy nothing more; sales and exits go on. It holds until it is lifted, across restarts.

        A program's token needs the scope `trade`."""
        found: StoppedOut = self._ask(StoppedOut, "POST", "/floor/stopentry", body=body, key=key or new_key())
        return found

    def trigger_collector(self, ledger: str) -> CollectorOut:
        """Have it ask its sources now rather than when they are due. For superusers.

        For superusers who are signed in: no program's token suffices."""
        found: CollectorOut = self._ask(CollectorOut, "POST", f"/collectors/{ledger}/trigger")
        return found

    def trigger_internal_collector(self) -> CollectorOut:
        """Have the exchange's collector ask now rather than when it is due.

        For superusers who are signed in: no program's token suffices."""
        found: CollectorOut = self._ask(CollectorOut, "POST", "/internal/collector/trigger")
        return found

    def validate_algorithm(self, algorithm_id: UUID | str, *, model_id: UUID | None = None) -> Findings:
        """Read the code, where there is any, and try out what the algorithm promises: about its parameters, its
        weights and its memory, that it does not look ahead, and that it decides the same when it is told less
        at once. On stored prices, or on a made market where there are too few.

        A program's token needs the scope `lab`."""
        found: Findings = self._ask(
            Findings, "POST", f"/lab/algorithms/{algorithm_id}/validate", query={"model_id": model_id}
        )
        return found

    def validate_coinspot_credential(self, body: ValidateIn | None = None, *, code: str | None = None) -> CredentialOut:
        """Ask the venue now what the key may do, by calls that change nothing. The word that it cannot withdraw,
        without which it trades no real money, takes a code of the second factor, where there is one.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(CredentialOut, "POST", "/credentials/coinspot/validate", body=body, code=code)
        return found

    def validate_exchange_credential(
        self, exchange: str, body: ValidateIn | None = None, *, code: str | None = None
    ) -> CredentialOut:
        """Ask the venue now what the key may do, by calls that change nothing. The word that it cannot withdraw,
        without which it trades no real money, takes a code of the second factor, where there is one.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(
            CredentialOut, "POST", f"/credentials/exchanges/{exchange}/validate", body=body, code=code
        )
        return found

    def validate_llm_credential(
        self, provider: str, body: ValidateIn | None = None, *, code: str | None = None
    ) -> CredentialOut:
        """Ask the venue now what the key may do, by calls that change nothing. The word that it cannot withdraw,
        without which it trades no real money, takes a code of the second factor, where there is one.

        For people who are signed in: no program's token suffices."""
        found: CredentialOut = self._ask(
            CredentialOut, "POST", f"/credentials/llm/{provider}/validate", body=body, code=code
        )
        return found
