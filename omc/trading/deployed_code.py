"""The code that a deployment runs, and where it may."""

from omc.strategy.algorithm import AlgorithmStore
from omc.strategy.maker import CUSTOM, Make, Maker
from omc.strategy.model_store import ModelStore, content_for
from omc.trading.deployment import Deployment, Mode


async def code_of(deployment: Deployment, algorithms: AlgorithmStore) -> str | None:
    """That of the version which was deployed; None for what ships with the platform, of which nothing is read.
    NotFound when its owner has deleted it."""
    if deployment.algorithm_type != CUSTOM:
        return None
    return (await algorithms.version(deployment.algorithm_id, deployment.user_id, deployment.algorithm_version)).code


async def make_of(deployment: Deployment, code: str | None, models: ModelStore, maker: Maker) -> Make:
    """How its algorithm is made of this code, fitted where it was deployed with a model. InvalidInput for a model that
    was fitted for something else."""
    if deployment.model is None:
        return maker.of(code)
    content = await content_for(
        models,
        deployment.model,
        deployment.user_id,
        code=code,
        parameters=deployment.parameters,
        coins=deployment.coins,
        first_traded=None,
    )
    return maker.of(code, content)


def unconfined(mode: Mode, code: str | None, maker: Maker) -> str | None:
    """Why this code may not trade in this mode; None when it may."""
    if code is None or mode is not Mode.LIVE or not maker.unsafe:
        return None
    return "code of your own trades live only behind both walls, and this platform was started without one of them"
