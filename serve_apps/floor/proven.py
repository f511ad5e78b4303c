"""What an algorithm has passed, and whether that covers what is asked of it: the same for what is deployed, and for
what is changed while it trades."""

from collections.abc import Mapping
from typing import Any

from omc.errors import GateNotPassed
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import Maker
from omc.strategy.parameter import same_parameters
from omc.trading.deployment import Mode
from serve_apps.making import whole_parameters

FIT: Mapping[Mode, tuple[AlgorithmStatus, ...]] = {
    Mode.PAPER: (AlgorithmStatus.VALIDATED, AlgorithmStatus.DEPLOYABLE, AlgorithmStatus.DEPLOYED),
    Mode.LIVE: (AlgorithmStatus.DEPLOYABLE, AlgorithmStatus.DEPLOYED),
}
"""The first of each is what it takes at least."""


def check_passed(record: AlgorithmRecord, mode: Mode) -> None:
    """GateNotPassed unless its newest version may be traded so."""
    if record.status not in FIT[mode]:
        raise GateNotPassed(f"the algorithm is {record.status}: {mode} trading needs it {FIT[mode][0]} or above")


async def check_proven(maker: Maker, record: AlgorithmRecord, parameters: Mapping[str, Any]) -> None:
    """GateNotPassed unless the gates that `record` passed were asked of these very parameters, defaults included."""
    make = maker.of(record.code)
    proven = await whole_parameters(make, record.algorithm_type, record.parameters)
    wanted = await whole_parameters(make, record.algorithm_type, parameters)
    others = sorted(
        name for name in {*proven, *wanted} if not same_parameters({name: proven.get(name)}, {name: wanted.get(name)})
    )
    if others:
        shown = ", ".join(f"{name} {proven.get(name)!r}, not {wanted.get(name)!r}" for name in others)
        raise GateNotPassed(
            f"what passed the gates has {shown}: real money is traded with those parameters only. "
            f"Make yours the algorithm's own, and promote it with them"
        )
