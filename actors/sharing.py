"""Who trades one account at a venue, and what their books say."""

from collections.abc import Sequence
from uuid import UUID

from omc.portfolio.account import Account
from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStore, Mode

_PAGE = 100


async def sharing(deployments: DeploymentStore, deployment: Deployment) -> tuple[Deployment, ...]:
    """Every deployment that trades the same account, this one included."""
    if deployment.mode is Mode.PAPER:
        return (await deployments.get(deployment.id),)
    owned: list[Deployment] = []
    while True:
        page, total = await deployments.page(deployment.user_id, len(owned), _PAGE)
        owned += page
        if len(owned) >= total or not page:
            return tuple(each for each in owned if each.account == deployment.account)


async def books_of(blotter: Blotter, together: Sequence[Deployment]) -> dict[UUID, Account]:
    """Of deployments of one owner, all of one moment, however many they are."""
    if len(together) == 1:
        return {together[0].id: await blotter.account(together[0].id)}
    known = await blotter.accounts(together[0].user_id) if together else {}
    return {each.id: known[each.id] for each in together}
