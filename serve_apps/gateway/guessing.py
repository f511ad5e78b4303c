"""What stands before every password that is tried: whoever has failed too often waits."""

from math import ceil

from omc.access.lockout import Admitted, Attempt, Blocked, LockoutStore
from omc.clock import Clock
from omc.errors import RateLimited
from serve_apps.problem import Detailed


class Guessing:
    """A LockoutStore for a server: an attempt that has to wait is refused, and told for how long."""

    def __init__(self, lockout: LockoutStore, clock: Clock) -> None:
        self._lockout, self._clock = lockout, clock

    async def begin(self, attempt: Attempt) -> Admitted:
        """RateLimited, in the same words whether or not there is such an account."""
        told = await self._lockout.begin(attempt, self._clock.now())
        if isinstance(told, Blocked):
            left_s = max(1, ceil(told.left.total_seconds()))
            said = f"too many attempts have failed: try again in {left_s} s"
            raise Detailed(RateLimited(said), {"retry_after_s": left_s}, retry_after_s=left_s)
        return told

    async def succeeded(self, admitted: Admitted) -> None:
        await self._lockout.succeeded(admitted, self._clock.now())
