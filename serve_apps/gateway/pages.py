"""The document at `/openapi.json`, and for people: Swagger at `/docs` and ReDoc at `/redoc`, from files of our own, so
that they work without the internet and under a policy that lets nothing else in."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response

from omc.errors import NotFound

# The package carries the two programs and a favicon; nothing of it is run here.
_PACKAGE = "fastapi_offline"
_KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
_A_DAY = {"Cache-Control": "public, max-age=86400"}
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Oh My Coins: the API</title>
<link rel="icon" href="{prefix}/pages/favicon.png">
{style}
</head>
<body>
<div id="page"></div>
<script src="{prefix}/pages/{program}"></script>
<script src="{prefix}/pages/{begin}"></script>
</body>
</html>
"""
# In files, because a policy that lets no script of the page itself run keeps everybody else's out as well.
_BEGIN = {
    "swagger.js": 'SwaggerUIBundle({{url: "{prefix}/openapi.json", dom_id: "#page", deepLinking: true, '
    "persistAuthorization: false, validatorUrl: null}});\n",
    # Its search would start a worker from nowhere.
    "redoc.js": 'Redoc.init("{prefix}/openapi.json", {{disableSearch: true}}, document.getElementById("page"));\n',
}
_SERVED = frozenset({"favicon.png", "redoc.standalone.js", "swagger-ui-bundle.js", "swagger-ui.css"})


def routes(prefix: str, document: Callable[[], dict[str, Any]]) -> APIRouter:
    """The document, the two pages and what they load; described in no document, for they are about it."""
    router = APIRouter(include_in_schema=False)
    style = f'<link rel="stylesheet" href="{prefix}/pages/swagger-ui.css">'
    swagger = _PAGE.format(prefix=prefix, style=style, program="swagger-ui-bundle.js", begin="swagger.js")
    redoc = _PAGE.format(prefix=prefix, style="", program="redoc.standalone.js", begin="redoc.js")

    # Not async, and so in a thread: the first to ask for it waits for seconds, and nobody else.
    @router.get("/openapi.json")
    def described() -> JSONResponse:
        return JSONResponse(document())

    @router.get("/docs")
    async def swagger_page() -> HTMLResponse:
        return HTMLResponse(swagger)

    @router.get("/redoc")
    async def redoc_page() -> HTMLResponse:
        return HTMLResponse(redoc)

    @router.get("/pages/{name}")
    async def loaded(name: str) -> Response:
        if name in _BEGIN:
            return Response(_BEGIN[name].format(prefix=prefix), media_type="text/javascript", headers=_A_DAY)
        if name not in _SERVED:
            raise NotFound("no page loads this")
        return Response(_read(name), media_type=_KINDS[name[name.rindex(".") :]], headers=_A_DAY)

    return router


@cache
def _read(name: str) -> bytes:
    return files(_PACKAGE).joinpath("static", name).read_bytes()
