"""Other parameters for what is deployed, without another deployment."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends

from omc.errors import Conflict, GateNotPassed, Overtaken
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.maker import CUSTOM
from omc.strategy.parameter import same_parameters
from omc.trading.deployed_code import code_of
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from serve_apps.envelope import Success
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.proven import check_passed
from serve_apps.floor.runnable import runnable
from serve_apps.floor.schemas import DeploymentOut
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Parameters

_TRIES = 10


class ParametersIn(Body):
    parameters: Parameters


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["deployments"], route_class=once.route)
    asker, keyed = Depends(bearer), Depends(once.operation)

    @router.put("/algorithms/{deployment_id}/parameters")
    async def change(
        user_id: Annotated[UUID, asker],
        deployment_id: UUID,
        body: ParametersIn,
        operation: Annotated[Operation, keyed],
    ) -> Success[DeploymentOut]:
        """Change what is named, from the next bar on; the others stay. What closes positions stays as it was deployed.
        Real money is traded only with the parameters that the algorithm has passed its gates with."""
        for tries in count(1):
            deployment = await ports.deployments.get(deployment_id, user_id)
            try:
                changed = await _change(ports, effects, deployment, body.parameters, operation.id)
                return Success(data=DeploymentOut.of(changed))
            except Overtaken:
                # Others of them have been changed meanwhile, which stay as that was wanted.
                if tries == _TRIES:
                    raise
        raise AssertionError("unreachable")

    return router


async def _change(
    ports: FloorPorts, effects: Effects, deployment: Deployment, named: Mapping[str, Any], once: UUID
) -> Deployment:
    if deployment.status is DeploymentStatus.STOPPED:
        raise Conflict(f"deployment {deployment.name} was stopped for good")
    wanted = {**deployment.parameters, **named}
    if same_parameters(wanted, deployment.parameters):
        return deployment
    parameters = await runnable(
        ports,
        await _traded(ports, deployment),
        wanted,
        deployment.mode,
        coins=deployment.coins,
        model_id=deployment.model,
        running=deployment.parameters,
    )
    return await uncut(effects.tune(deployment, parameters, once))


async def _traded(ports: FloorPorts, deployment: Deployment) -> AlgorithmRecord:
    """Its algorithm, with the code that it was deployed with. GateNotPassed for real money, unless it is that code of
    which the newest version has passed the gates."""
    newest = await ports.algorithms.get(deployment.algorithm_id, deployment.user_id)
    code = await code_of(deployment, ports.algorithms)
    if deployment.mode is Mode.LIVE:
        check_passed(newest, Mode.LIVE)
        if deployment.algorithm_type == CUSTOM and newest.code != code:
            raise GateNotPassed(
                f"version {newest.version} passed the gates, and has other code than version "
                f"{deployment.algorithm_version}, which is deployed: deploy it anew"
            )
    return replace(newest, code=code)
