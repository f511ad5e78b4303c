"""Secrets sealed with AES-256-GCM: `v1.<key id>.<base64 of nonce, ciphertext and tag>`.

The place that a secret belongs to is authenticated with it. Fernet would have been nearer at hand; it has AES-128, and
nothing that ties a token to its row. Tokens of Fernet that an earlier platform has left are read, and never written:
what is stored anew is sealed.
"""

import base64
import binascii
import hashlib
import secrets
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from omc.access.vault import Vault, is_legacy
from omc.adapters.key_file import read_keys
from omc.errors import OmcError, SealBroken, VaultKeyLost

_VERSION = "v1"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class FileVault(Vault):
    """A Vault that travels as the path of its key file.

    The first key of the file seals; all of them open, each known by its id. So a key is replaced by putting a new one
    above it, sealing anew what the old one sealed, and taking the old one out. The file is read whenever something is
    sealed, and again before a key is said to be lost: it may have been put there since.
    """

    def __init__(self, key_file: Path) -> None:
        self.key_file = key_file
        self._known: dict[str, AESGCM] = {}

    def __repr__(self) -> str:
        return f"FileVault({str(self.key_file)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keys that were read stay in the process that read them.
        return FileVault, (self.key_file,)

    def newest(self) -> str:
        return next(iter(self._read()))

    def seal(self, secret: str, place: bytes) -> str:
        key_id, key = next(iter(self._read().items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + key.encrypt(nonce, secret.encode(), place)
        return f"{_VERSION}.{key_id}.{base64.b64encode(sealed).decode()}"

    def open(self, sealed: str, place: bytes) -> str:
        if is_legacy(sealed):
            return self._legacy(sealed)
        version, _, rest = sealed.partition(".")
        key_id, _, encoded = rest.partition(".")
        if version != _VERSION:
            raise SealBroken("a sealed value is of no kind that is known here")
        key = self._known.get(key_id) or self._read().get(key_id)
        if key is None:
            raise VaultKeyLost(f"the vault's key {key_id} is not in {self.key_file}: what it sealed cannot be opened")
        try:
            whole = base64.b64decode(encoded, validate=True)
            return key.decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], place).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken("a sealed value was changed, or belongs to another place") from None

    def _legacy(self, token: str) -> str:
        """A token of Fernet under any of the keys; it does not say which."""
        keys = [Fernet(base64.urlsafe_b64encode(key)) for key in read_keys(self.key_file)]
        try:
            return MultiFernet(keys).decrypt(token.encode()).decode()
        except (InvalidToken, ValueError):
            raise VaultKeyLost(
                f"a token of Fernet was changed, or its key is not in {self.key_file}: it cannot be opened"
            ) from None

    @property
    def key_ids(self) -> frozenset[str]:
        return frozenset(self._read())

    def _read(self) -> dict[str, AESGCM]:
        """The keys that the file holds now, by id, the newest first."""
        keys = read_keys(self.key_file)
        if any(len(key) != _KEY_BYTES for key in keys):
            raise OmcError(f"the key file {self.key_file} must hold keys of {_KEY_BYTES} bytes")
        self._known = {hashlib.sha256(b"kid:" + key).hexdigest()[:12]: AESGCM(key) for key in keys}
        return self._known
