"""What must be so before anything is traded for real money, in the order in which it is asked."""

from omc.access.credential import Access, Credential
from omc.errors import Conflict, InvalidInput
from omc.strategy.trigger import Triggers
from omc.trading.capability import VenueFacts
from omc.trading.venue import Capabilities


def confirmation(deployment_name: str) -> str:
    """What its owner types to have a deployment trade real money."""
    return f"trade {deployment_name} with real money"


def check_confirmed(deployment_name: str, typed: str | None) -> None:
    """InvalidInput, with what to type, unless it was typed to the letter."""
    wanted = confirmation(deployment_name)
    if typed != wanted:
        raise InvalidInput(f'confirmation: real money is traded only when this is typed, to the letter: "{wanted}"')


def check_asked(triggers: Triggers) -> None:
    """Conflict for an algorithm that is asked otherwise than the one that passed the gates."""
    if triggers:
        raise Conflict(
            "what passed the gates was asked on every bar, so that is how it is traded for real money: the gates judge "
            "sweeps, which ask on every bar, and no gate has seen these triggers. With them it may be traded on paper"
        )


def check_venue(facts: VenueFacts, credential: Credential | None) -> None:
    """Conflict, with what to do about it, unless this platform trades there for real money and the owner's key fits."""
    if facts.live_refusal is not None:
        raise Conflict(f"no real money is traded at {facts.name} from here: {facts.live_refusal}")
    check_key(facts.name, facts.capabilities, credential)


def check_key(venue: str, capabilities: Capabilities, credential: Credential | None) -> None:
    """Conflict, with what to do about it, unless real money may be traded with this key: asked before anything is
    deployed or goes on, and again before each order."""
    store = f"/api/v1/credentials/{venue}"
    if credential is None:
        raise Conflict(
            f"live trading needs validated exchange credentials, and this account has none of {venue}: "
            f"store them with POST {store}"
        )
    if not credential.validated:
        why = credential.message or "nobody has asked the venue about it yet"
        raise Conflict(
            f"the credentials of {venue} are not validated: {why}: "
            f"replace them with PUT {store}, or ask again with POST {store}/validate"
        )
    if credential.access is not Access.FULL:
        raise Conflict(f"the key of {venue} cannot trade: {credential.message}")
    if not capabilities.shows_withdrawal_right and not credential.withdrawals_disabled:
        raise Conflict(
            f"{venue} does not tell whether a key may withdraw: make sure that yours cannot, and say so with "
            f'POST {store}/validate and {{"withdrawals_disabled": true}}'
        )
