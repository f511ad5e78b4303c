"""The templates that algorithms begin as."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.strategy.registry import Template, templates
from serve_apps.envelope import Page, Paging
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts


class TemplateOut(BaseModel):
    """A built-in algorithm: its defaults, what they mean, the space that a sweep of it would search, and how many coins
    it decides on (`most_coins` is null where there is no most). `source` is what it is written in: as code of one's
    own, of the type `custom`, it decides the same."""

    algorithm_type: str
    description: str
    parameters: dict[str, Any]
    about: dict[str, str]
    space: dict[str, Any]
    fewest_coins: int
    most_coins: int | None
    source: str

    @classmethod
    def of(cls, template: Template) -> Self:
        return cls(
            algorithm_type=template.algorithm_type,
            description=template.description,
            parameters=dict(template.parameters),
            about=dict(template.about),
            space={name: dict(range_) for name, range_ in template.space.items()},
            fewest_coins=template.fewest_coins,
            most_coins=template.most_coins,
            source=template.source,
        )


def routes(_: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["algorithms"])
    asker = Depends(bearer)

    @router.get("/templates")
    async def list_templates(_: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[TemplateOut]:
        """The built-in algorithms, ready to copy."""
        return Page.cut([TemplateOut.of(template) for template in templates()], query)

    return router
