"""The code that a deployment runs, and where it may."""

from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import CUSTOM, Maker
from omc.trading.deployment import Deployment, Mode


async def code_of(deployment: Deployment, algorithms: AlgorithmStore) -> str | None:
    """That of the version which was deployed; None for what ships with the platform, of which nothing is read.
    NotFound when its owner has deleted it."""
    if deployment.algorithm_type != CUSTOM:
        return None
    return (await algorithms.version(deployment.algorithm_id, deployment.user_id, deployment.algorithm_version)).code


def unconfined(mode: Mode, code: str | None, maker: Maker) -> str | None:
    """Why this code may not trade in this mode; None when it may."""
    if code is None or mode is not Mode.LIVE or not maker.unsafe:
        return None
    return "code of your own trades live only behind both walls, and this platform was started without one of them"
