"""Every answer tells browsers what not to do with it."""

import httpx
import pytest
from fastapi import FastAPI, Response

from serve_apps import door
from serve_apps.door import Rules

SITE = "https://desk.example"


def client(rules: Rules) -> httpx.AsyncClient:
    app = FastAPI(docs_url="/api/v1/docs")
    door.install(app, rules)

    @app.get("/page")
    async def page() -> Response:
        return Response("<p>a report</p>", media_type="text/html")

    @app.get("/thing")
    async def thing(etag: bool = False) -> Response:
        return Response("{}", media_type="application/json", headers={"ETag": '"1"'} if etag else None)

    @app.patch("/thing")
    async def change() -> None: ...

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://omc")


@pytest.mark.parametrize("path", ["/thing", "/page", "/nowhere", "/broken", "/thing?etag=nonsense", "/api/v1/docs"])
async def test_every_answer_carries_them_errors_too(path: str):
    async with client(Rules()) as http:
        headers = (await http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


async def test_a_report_may_run_what_stands_in_it_and_data_may_run_nothing():
    async with client(Rules()) as http:
        page, data = await http.get("/page"), await http.get("/thing")
    assert "script-src 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "connect-src" not in page.headers["content-security-policy"]
    assert "script-src" not in data.headers["content-security-policy"]


async def test_over_tls_browsers_are_to_come_back_so():
    async with client(Rules(https=True)) as http:
        assert "max-age=" in (await http.get("/thing")).headers["strict-transport-security"]


async def test_what_is_somebodys_is_kept_by_no_cache_unless_it_says_how_to_ask_again():
    mine = {"Authorization": "Bearer x"}
    async with client(Rules()) as http:
        assert (await http.get("/thing", headers=mine)).headers["cache-control"] == "no-store"
        assert "cache-control" not in (await http.get("/thing?etag=true", headers=mine)).headers
        assert "cache-control" not in (await http.get("/thing")).headers


async def test_a_named_site_may_change_things_and_read_how_it_stands():
    asking = {
        "Origin": SITE,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,x-second-factor,if-none-match,idempotency-key",
    }
    async with client(Rules(cors_origins=(SITE,))) as http:
        preflight = await http.options("/thing", headers=asking)
        answer = await http.get("/thing", headers={"Origin": SITE})
        failure = await http.get("/broken", headers={"Origin": SITE})
    assert preflight.status_code == 200
    assert preflight.headers["x-content-type-options"] == "nosniff"
    for each in (preflight, answer, failure):
        assert each.headers["access-control-allow-origin"] == SITE
        assert "access-control-allow-credentials" not in each.headers
    assert {"ETag", "RateLimit-Remaining", "Retry-After"} <= set(
        answer.headers["access-control-expose-headers"].split(", ")
    )


async def test_a_site_that_is_not_named_is_told_nothing():
    asking = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PATCH"}
    async with client(Rules(cors_origins=(SITE,))) as http:
        assert "access-control-allow-origin" not in (await http.options("/thing", headers=asking)).headers
