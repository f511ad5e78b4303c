"""API tokens from a store that may hang: whoever asks to stop everything must not hang with it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omc.access.api_token import ApiToken, ApiTokenStore
from serve_apps.patience import soon

_MOMENT_S = 1.0


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """What an ApiTokenStore knows of tokens that are shown, said soon: otherwise Unavailable."""

    tokens: ApiTokenStore

    async def find(self, token_id: UUID) -> ApiToken | None:
        return await soon(self.tokens.find(token_id), "the database", _MOMENT_S)

    async def note_use(self, token_id: UUID, at: datetime) -> None:
        await soon(self.tokens.note_use(token_id, at), "the database", _MOMENT_S)
