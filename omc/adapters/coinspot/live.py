"""Accounts of real money at CoinSpot, opened with their owners' own keys.

A key is read from its store before every call, so that one which was replaced is never used again, and that the venue
does not take one is known to everybody at once. It is opened here, in the memory of whoever sends orders, and nowhere
else.
"""

import asyncio
import logging
from typing import Any
from uuid import UUID

from omc.access.credential import COINSPOT, Access, Credential, Keyhole
from omc.access.credential_store import CredentialStore
from omc.access.examiner import Examiner, unspoken
from omc.access.vault import Vault
from omc.adapters.coinspot.client import COINSPOT_URL, CoinspotClient, KeySource
from omc.adapters.coinspot.nonce import NonceStore
from omc.adapters.coinspot.signature import Credentials
from omc.adapters.coinspot.venue import CAPABILITIES, LAG_S, SLOW_S, CoinspotVenue
from omc.adapters.coinspot.wire import balances_of
from omc.errors import Conflict, KeyRefused, NotFound, OmcError, OutcomeUnknown, Unavailable, VenueRefused
from omc.market.terms import Terms
from omc.trading.deployment import Deployment, live_account
from omc.trading.floor import Venues
from omc.trading.real_money import check_key

_log = logging.getLogger(__name__)
_PATIENCE_S = 0.25
"""How long a look, or a cancellation, waits for a store that does not answer."""
READS_ONLY = "it only reads: trading needs a key with full access"
NONCE_TOO_LOW = (
    "it takes none of our request numbers: another program has used this key with higher ones. Make a new key that "
    "this platform has for itself"
)


class LiveVenues(Venues, Examiner):
    """Opens one account for each owner, whichever deployment asks. It travels without anything that was opened."""

    def __init__(
        self,
        store: CredentialStore,
        vault: Vault,
        nonces: NonceStore,
        terms: Terms,
        *,
        base_url: str = COINSPOT_URL,
        lag_s: float = LAG_S,
        slow_s: float = SLOW_S,
    ) -> None:
        """`lag_s` is waited before what the venue does not list is believed not to be on its lists, `slow_s` before it
        is believed that the venue never took it."""
        self.store = store
        self.vault = vault
        self.nonces = nonces
        self.terms = terms
        self.base_url = base_url
        self.lag_s = lag_s
        self.slow_s = slow_s
        self._accounts: dict[UUID, LiveAccount] = {}

    def __repr__(self) -> str:
        return f"LiveVenues({self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_accounts": {}}

    async def open(self, deployment: Deployment) -> CoinspotVenue:
        return self._account(deployment.user_id).venue

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        await self.store.get(user_id, keyhole)
        if keyhole != COINSPOT:
            raise unspoken(keyhole)
        return await self._account(user_id).examine()

    async def close(self) -> None:
        for account in self._accounts.values():
            await account.venue.close()

    def _account(self, user_id: UUID) -> "LiveAccount":
        if user_id not in self._accounts:
            self._accounts[user_id] = LiveAccount(user_id, self)
        return self._accounts[user_id]


class LiveAccount(KeySource):
    """One owner's account, and whose key its client signs with."""

    def __init__(self, user_id: UUID, of: LiveVenues) -> None:
        self._user_id = user_id
        self._store, self._vault = of.store, of.vault
        self._client = CoinspotClient(of.base_url, self, of.nonces, account=live_account(COINSPOT.name, user_id))
        self.venue = CoinspotVenue(self._client, of.terms, lag_s=of.lag_s, slow_s=of.slow_s)
        self._opened: tuple[Credential, Credentials] | None = None
        self._examining = asyncio.Lock()
        self._refused: UUID | None = None
        """The key that is known to be refused: that is told once, however often something is looked for."""
        self._reads_only: UUID | None = None

    def __repr__(self) -> str:
        return f"LiveAccount({self._client.account!r})"

    async def current(self, *, to_trade: bool) -> Credentials:
        # Whoever is to trade waits for the store, and so does who has nothing else to sign with.
        patience_s = None if to_trade or self._opened is None else _PATIENCE_S
        try:
            async with asyncio.timeout(patience_s):
                stored = await self._store.get(self._user_id, COINSPOT)
        except NotFound as fault:
            self._opened = None
            raise await self._held(fault) from None
        except (Unavailable, TimeoutError):
            if to_trade or self._opened is None:
                raise
            # To look, and to cancel, the key that was good a moment ago will do.
            return self._opened[1]
        return await self._fit(stored) if to_trade else await self._opened_or_held(stored)

    async def _fit(self, stored: Credential) -> Credentials:
        """What an order is signed with. KeyRefused unless real money may be traded with it."""
        opened = await self._opened_or_held(stored)
        if stored.access is None:
            try:
                stored = await self.examine()
            except OmcError as fault:
                raise VenueRefused(f"nothing was sent: {fault}") from None
            opened = await self._opened_or_held(stored)
        try:
            check_key(COINSPOT.name, CAPABILITIES, stored)
        except Conflict as no:
            raise await self._held(no) from None
        return opened

    async def _opened_or_held(self, stored: Credential) -> Credentials:
        try:
            return self._open(stored)
        except OmcError as fault:
            raise await self._held(fault) from None

    async def _held(self, why: OmcError) -> KeyRefused:
        """Pause what would ask in vain again and again: only its owner can do something about it."""
        try:
            await self._store.hold(self._user_id, COINSPOT, str(why))
        except OmcError as fault:
            # Nothing is sent, and whoever asks next pauses them.
            _log.warning("what trades without a key that fits could not be paused: %s", fault)
        return KeyRefused(f"nothing was sent: {why}")

    async def refused(self, used: Credentials, message: str, *, reading: bool) -> None:
        """Let everybody know, unless what it may do is being asked just now, or it was replaced meanwhile. A key that
        may not act may still read: that is asked."""
        if self._examining.locked() or self._opened is None or used is not self._opened[1]:
            return
        known = self._opened[0]
        if known.id == self._refused or (known.id == self._reads_only and not reading):
            return
        try:
            told = await (self._store.examined(known, Access.REFUSED, message) if reading else self.examine())
        except OmcError as fault:
            # Nothing was executed, and that must be heard. The next call will be refused as well, and then it is told.
            _log.warning("that the venue refuses a key could not be stored: %s", fault)
            return
        self._refused = told.id if told.access is Access.REFUSED else None
        self._reads_only = told.id if told.access is Access.READ_ONLY else None

    async def examine(self) -> Credential:
        """Ask the venue what the key may do, and store it. Unavailable when it does not say; VaultKeyLost or SealBroken
        when there is nothing to ask with."""
        async with self._examining:
            self._refused = self._reads_only = None
            while True:
                stored = await self._store.get(self._user_id, COINSPOT)
                self._open(stored)
                access, message = await self._asked()
                try:
                    return await self._store.examined(stored, access, message)
                except NotFound:
                    # Replaced while it was being asked about: what was said may be of the new one, or of the old.
                    continue

    async def _asked(self) -> tuple[Access, str | None]:
        try:
            balances_of(await self._client.read("my/balances"))
        except VenueRefused as no:
            return Access.REFUSED, NONCE_TOO_LOW if "nonce" in str(no).lower() else str(no)
        try:
            await self._client.act("status", {})
        except VenueRefused:
            return Access.READ_ONLY, READS_ONLY
        except OutcomeUnknown as fault:
            # It changes nothing, whether it arrived or not.
            raise Unavailable(str(fault)) from None
        return Access.FULL, None

    def _open(self, stored: Credential) -> Credentials:
        if self._opened is None or self._opened[0].id != stored.id:
            secrets = stored.opened(self._vault)
            self._opened = stored, Credentials(secrets["api_key"], secrets["api_secret"])
        return self._opened[1]
