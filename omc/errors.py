"""Every fault, split by what to do next.

A fault carries one message and nothing else, so that it survives a trip through Ray unchanged.
"""


class OmcError(Exception):
    """Any fault that this platform raises on purpose."""


class Refused(OmcError):
    """Asking again gives the same answer."""


class InvalidInput(Refused):
    """The input breaks a stated rule; the message names the rule and the place."""


class Unauthenticated(Refused):
    """Nobody we know asked."""


class Forbidden(Refused):
    """We know who asked, and they may not."""


class SecondFactorNeeded(Forbidden):
    """The account has a second factor, and no code of it came with the request."""


class SecondFactorWrong(Forbidden):
    """The code of the second factor is wrong, or was taken before."""


class NotFound(Refused):
    """There is no such thing, or none that the asker may see."""


class Conflict(Refused):
    """The thing exists already, or its state forbids the move."""


class IllegalTransition(Conflict):
    """A state machine has no such move."""


class GateNotPassed(Conflict):
    """A promotion gate said no."""


class Halted(Conflict):
    """The kill switch is on."""


class AddingHalted(Halted):
    """The kill switch is on for what adds to a position, and for nothing else."""


class Unresolved(Conflict):
    """A person must say first what became of an order."""


class Overtaken(Conflict):
    """Something has changed that this was decided from: look again, and go on from there."""


class StaleLease(Conflict):
    """Another holder took the lease since: this one must stop, not retry."""


class VenueRefused(Refused):
    """The venue said no; nothing was executed."""


class KeyRefused(VenueRefused):
    """The venue does not take this key, or not for this; nothing was executed."""


class OutcomeUnknown(OmcError):
    """The venue may or may not have acted; reconcile before asking again."""


class Ambiguous(OutcomeUnknown):
    """More than one thing at the venue could be ours: only a person can tell."""


class Unavailable(OmcError):
    """Nothing happened; back off and ask again."""


class VaultKeyLost(Unavailable):
    """Something was sealed under a key that is not here; with the key back, it can be opened."""


class SealBroken(Refused):
    """What was sealed has been changed since, or was sealed for another place."""


class PayloadTooLarge(Refused):
    """More than the door lets through."""


class RateLimited(Unavailable):
    """Asked too often; wait before asking again."""


class CodeFailed(Refused):
    """Somebody's code raised, or answered what cannot be used; its sandbox goes on."""


class SandboxDied(CodeFailed):
    """Somebody's code ended its sandbox: out of CPU time or memory, by a forbidden call, by leaving."""


class DeadlineExceeded(SandboxDied):
    """Somebody's code did not answer in time, and its sandbox was ended."""


class SandboxRefused(Refused):
    """This machine cannot confine anybody's code, so none is run."""
