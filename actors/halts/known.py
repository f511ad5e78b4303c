"""What is halted, as a risk desk knows it: in its memory, and in the files beside it."""

from collections.abc import Callable, Iterable
from uuid import UUID

from omc.risk.halt_files import HaltFiles, Place
from omc.risk.kill_switch import Halt, kept, strictest
from omc.trading.fill import Side
from omc.trading.order import OrderIntent


class Halts:
    """One for a risk desk. Its methods await nothing and may be called from any thread: each changes one thing."""

    def __init__(self, files: HaltFiles) -> None:
        self.files = files
        self._told: dict[Place, Halt] = {}

    def add(self, halt: Halt) -> None:
        self._told[halt.place] = kept(self._told.get(halt.place), halt)

    def forget(self, place: Place) -> None:
        """It was reset. Files that are still there go on to count."""
        self._told.pop(place, None)

    def told(self) -> list[Halt]:
        """Those that this desk heard of, whether or not they are anywhere else."""
        return list(self._told.values())

    def at(self, place: Place) -> Halt | None:
        """What this desk heard of that place."""
        return self._told.get(place)

    def on(self) -> list[Halt]:
        return [*self._told.values(), *self.files.on()]

    def halted(self, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True) -> Halt | None:
        return _binding(self.on(), user_id, deployment_id, adding)

    def gate(self, intent: OrderIntent, liquidating: bool) -> Callable[[], None] | None:
        """For whoever is about to send: Halted when a switch is on that stops this order. The house's own sales
        pass."""
        if liquidating:
            return None
        adding = intent.side is Side.BUY

        def ask() -> None:
            halt = self.halted(intent.user_id, intent.deployment_id, adding=adding)
            if halt is not None:
                raise halt.fault()

        return ask


def _binding(halts: Iterable[Halt], user_id: UUID, deployment_id: UUID | None, adding: bool) -> Halt | None:
    return strictest(each for each in halts if each.binds(user_id, deployment_id, adding))
