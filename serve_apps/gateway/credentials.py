"""The keys of exchanges and of language models that people entrust to the platform: sealed on the way in, masked on the
way out, and opened by nobody here."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, BaseModel, Field, SecretStr

from omc.access.credential import COINSPOT, Access, Credential, Keyhole, Use, sealed
from omc.access.examiner import Examiner
from omc.errors import Conflict, OmcError
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.patience import soon
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Time

# Two calls to a venue that may be slow.
_EXAMINATION_S = 25.0
_LONGEST = 1_000


def _secret(given: SecretStr) -> SecretStr:
    """As it was meant: what a clipboard puts around it is left out. It travels in a header, so it is plain."""
    text = given.get_secret_value().strip()
    if not text or len(text) > _LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"must be 1 to {_LONGEST} printable ASCII characters without spaces")
    return SecretStr(text)


Secret = Annotated[SecretStr, AfterValidator(_secret)]
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$", description="In small letters, such as kraken.")]


class ExchangeKeyIn(Body):
    api_key: Secret
    api_secret: Secret
    withdrawals_disabled: Annotated[bool, Field(strict=True)] = Field(
        False, description="Your word that this key cannot withdraw, where the exchange does not tell."
    )

    def secrets(self) -> dict[str, str]:
        return {"api_key": self.api_key.get_secret_value(), "api_secret": self.api_secret.get_secret_value()}


class OtherExchangeKeyIn(ExchangeKeyIn):
    passphrase: Secret | None = None

    def secrets(self) -> dict[str, str]:
        known = ExchangeKeyIn.secrets(self)
        return known if self.passphrase is None else {**known, "passphrase": self.passphrase.get_secret_value()}


class ModelKeyIn(Body):
    api_key: Secret

    def secrets(self) -> dict[str, str]:
        return {"api_key": self.api_key.get_secret_value()}


class ValidateIn(Body):
    withdrawals_disabled: Literal[True] | None = Field(
        None, description="Your word that this key cannot withdraw, where the exchange does not tell."
    )


class CredentialOut(BaseModel):
    """`access` is what the venue said of the key when it was last asked: refused, read_only or full; null when it never
    was. `message` says why it is not full."""

    kind: Literal["exchange", "llm"]
    name: str
    api_key: str
    is_validated: bool
    access: Literal["refused", "read_only", "full"] | None
    message: str | None
    last_validated_at: Time | None
    withdrawals_disabled: bool
    stored_at: Time

    @classmethod
    def of(cls, credential: Credential) -> Self:
        return cls(
            kind=credential.keyhole.use.value,
            name=credential.keyhole.name,
            api_key=credential.hint,
            is_validated=credential.validated,
            access=credential.access.value if credential.access else None,
            message=credential.message,
            last_validated_at=credential.checked_at,
            withdrawals_disabled=credential.withdrawals_disabled,
            stored_at=credential.stored_at,
        )


class Keeper:
    """What the routes of every keyhole do."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._store, self._sealer = ports.keyring.store, ports.keyring.sealer
        self._examiner: Examiner = ports.keyring.examiner
        self._clock, self._factors = ports.clock, ports.second_factors

    async def shown(self, user_id: UUID, keyhole: Keyhole) -> Success[CredentialOut]:
        return Success(data=CredentialOut.of(await self._store.get(user_id, keyhole)))

    async def kept(
        self, user_id: UUID, keyhole: Keyhole, secrets: Mapping[str, str], promise: bool, *, anew: bool
    ) -> Success[CredentialOut]:
        """Sealed, stored, and tried at once where that can be done; that it cannot be is no fault of the request."""
        made = sealed(keyhole, user_id, secrets, self._sealer, at=self._clock.now(), withdrawals_disabled=promise)
        stored = await (self._store.add(made) if anew else self._store.replace(made))
        try:
            told = await soon(self._examiner.examine(user_id, keyhole), "the venue", _EXAMINATION_S)
        except Conflict as fault:
            return Success(data=CredentialOut.of(stored), message=str(fault))
        except OmcError as fault:
            return Success(data=CredentialOut.of(stored), message=f"stored, and not validated yet: {fault}")
        return Success(data=CredentialOut.of(told), message=_said(told))

    async def validated(
        self, user_id: UUID, keyhole: Keyhole, promise: bool, code: str | None
    ) -> Success[CredentialOut]:
        if promise:
            # Of an exchange's key it opens a way to real money; said again, it changes nothing.
            if keyhole.use is Use.EXCHANGE and not (await self._store.get(user_id, keyhole)).withdrawals_disabled:
                await demand(self._factors, user_id, code)
            await self._store.promise(user_id, keyhole)
        told = await soon(self._examiner.examine(user_id, keyhole), "the venue", _EXAMINATION_S)
        return Success(data=CredentialOut.of(told), message=_said(told))

    async def deleted(self, user_id: UUID, keyhole: Keyhole) -> Success[None]:
        await self._store.delete(user_id, keyhole)
        return Success(data=None, message="deleted")


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/credentials", tags=["credentials"])
    asker = Annotated[UUID, Depends(bearer)]
    keeper = Keeper(ports)

    @router.get("")
    async def every(user_id: asker, query: Annotated[Paging, Query()]) -> Page[CredentialOut]:
        """All keys of the caller."""
        return Page.cut([CredentialOut.of(each) for each in await ports.keyring.store.of(user_id)], query)

    @router.post("/coinspot", status_code=201)
    async def add_coinspot(user_id: asker, body: ExchangeKeyIn, code: Code = None) -> Success[CredentialOut]:
        """Entrust a key to the platform. It is sealed, and CoinSpot is asked at once what it may do."""
        await demand(ports.second_factors, user_id, code)
        return await uncut(keeper.kept(user_id, COINSPOT, body.secrets(), body.withdrawals_disabled, anew=True))

    @router.put("/coinspot")
    async def replace_coinspot(user_id: asker, body: ExchangeKeyIn, code: Code = None) -> Success[CredentialOut]:
        """Put another key in its place. Nothing trades by it before CoinSpot has said that it may."""
        await demand(ports.second_factors, user_id, code)
        return await uncut(keeper.kept(user_id, COINSPOT, body.secrets(), body.withdrawals_disabled, anew=False))

    @router.post("/exchanges/{exchange}", status_code=201)
    async def add(
        user_id: asker, exchange: Name, body: OtherExchangeKeyIn, code: Code = None
    ) -> Success[CredentialOut]:
        """Entrust a key of another exchange to the platform."""
        which = _exchange(exchange, body)
        await demand(ports.second_factors, user_id, code)
        return await uncut(keeper.kept(user_id, which, body.secrets(), body.withdrawals_disabled, anew=True))

    @router.put("/exchanges/{exchange}")
    async def replace(
        user_id: asker, exchange: Name, body: OtherExchangeKeyIn, code: Code = None
    ) -> Success[CredentialOut]:
        """Put another key in its place. Nothing trades by it before the exchange has said that it may."""
        which = _exchange(exchange, body)
        await demand(ports.second_factors, user_id, code)
        return await uncut(keeper.kept(user_id, which, body.secrets(), body.withdrawals_disabled, anew=False))

    @router.post("/llm/{provider}", status_code=201)
    async def add_llm(user_id: asker, provider: Name, body: ModelKeyIn) -> Success[CredentialOut]:
        """Entrust a key of whoever provides language models to the platform."""
        return await uncut(keeper.kept(user_id, Keyhole(Use.LLM, provider), body.secrets(), False, anew=True))

    @router.put("/llm/{provider}")
    async def replace_llm(user_id: asker, provider: Name, body: ModelKeyIn) -> Success[CredentialOut]:
        """Put another key of a provider of language models in its place."""
        return await uncut(keeper.kept(user_id, Keyhole(Use.LLM, provider), body.secrets(), False, anew=False))

    def common(path: str, keyhole: Callable[..., Keyhole]) -> None:
        """What is asked of every kind of key alike."""
        which = Annotated[Keyhole, Depends(keyhole)]

        @router.get(path)
        async def shown(user_id: asker, asked: which) -> Success[CredentialOut]:
            """Masked."""
            return await keeper.shown(user_id, asked)

        @router.post(f"{path}/validate")
        async def validate(
            user_id: asker, asked: which, body: ValidateIn | None = None, code: Code = None
        ) -> Success[CredentialOut]:
            """Ask the venue now what the key may do, by calls that change nothing. The word that it cannot withdraw,
            without which it trades no real money, takes a code of the second factor, where there is one."""
            return await uncut(keeper.validated(user_id, asked, bool(body and body.withdrawals_disabled), code))

        @router.delete(path)
        async def delete(user_id: asker, asked: which) -> Success[None]:
            """Forget it. Not while a deployment trades live by it."""
            return await uncut(keeper.deleted(user_id, asked))

    common("/coinspot", lambda: COINSPOT)
    common("/exchanges/{exchange}", _exchange_named)
    common("/llm/{provider}", _provider_named)
    return router


def _exchange_named(exchange: Name) -> Keyhole:
    return Keyhole(Use.EXCHANGE, exchange)


def _provider_named(provider: Name) -> Keyhole:
    return Keyhole(Use.LLM, provider)


def _exchange(name: str, body: OtherExchangeKeyIn) -> Keyhole:
    keyhole = Keyhole(Use.EXCHANGE, name)
    if keyhole == COINSPOT and body.passphrase is not None:
        raise Conflict("coinspot takes no passphrase")
    return keyhole


def _said(told: Credential) -> str:
    name = told.keyhole.name
    match told.access:
        case Access.FULL if told.withdrawals_disabled:
            return f"{name} takes this key, and it may trade"
        case Access.FULL:
            return (
                f"{name} takes this key, and it may trade. Whether it may withdraw is not told: live trading needs "
                "your word that it cannot (withdrawals_disabled)"
            )
        case Access.READ_ONLY:
            return f"{name} takes this key: {told.message}"
        case _:
            return f"{name} does not take this key: {told.message}"
