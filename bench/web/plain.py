"""The other side of the benchmark of HTTP: FastAPI on uvicorn, one process, with the same work and nothing else.

The same token check and limit, the same adapters and queries, the same models and so the same JSON; none of the door,
errors or proxy of the platform. Run as `python -m bench.web.plain HOME RAY_ADDRESS`; it says its port.
"""

import asyncio
import gc
import socket
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query

from actors.handle import CollectorHandle
from cluster.wiring import wiring
from omc.access.rate import Charge
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.schemas import TradeOut
from serve_apps.gateway.data import LatestOut
from serve_apps.gateway.health import Health, _version
from serve_apps.gateway.users import Profile
from serve_apps.limits import Limiter

_WAITS_S = 1.0


def build(home: Path) -> FastAPI:
    wired, hot, app = wiring(home=home), CollectorHandle(), FastAPI()
    us, limits = _version(), wired.rules.limits
    limiter = Limiter(limits.store) if limits else None

    async def asker(authorization: Annotated[str, Header()] = "") -> UUID:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(401)
        user_id = wired.signer.verify(token, wired.clock.now()).user_id
        if limiter and limits:
            charge = Charge(f"account:{user_id}", limits.account)
            if not (await limiter.take([charge], _WAITS_S)).allowed:
                raise HTTPException(429)
        return user_id

    asking = Depends(asker)

    @app.get("/api/v1/health")
    async def health() -> Success[Health]:
        return Success(data=Health(status="ok", version=us))

    @app.get("/api/v1/users/profile")
    async def profile(user_id: Annotated[UUID, asking]) -> Success[Profile]:
        return Success(data=Profile.of(await wired.users.get(user_id)))

    @app.get("/api/v1/data/prices/latest")
    async def latest(_: Annotated[UUID, asking], query: Annotated[Paging, Query()]) -> Page[LatestOut]:
        board, status = await asyncio.gather(hot.newest(), hot.status())
        if board is None or status.last_run_at is None:
            raise HTTPException(503)
        age_s = max(0.0, round((wired.clock.now() - status.last_run_at).total_seconds(), 3))
        items = [
            LatestOut(
                coin=coin,
                timestamp=board.time,
                bid=board.quotes[coin].bid_aud,
                ask=board.quotes[coin].ask_aud,
                last=board.quotes[coin].last_aud,
                age_s=age_s,
            )
            for coin in sorted(board.quotes)
        ]
        return Page.cut(items, query)

    @app.get("/api/v1/floor/trades")
    async def trades(user_id: Annotated[UUID, asking], query: Annotated[Paging, Query()]) -> Page[TradeOut]:
        found, total = await wired.blotter.trades(user_id, None, query.offset, query.per_page, None, None)
        return Page.of([TradeOut.of(trade) for trade in found], total, query)

    return app


def main() -> None:
    home, address = sys.argv[1:]
    import ray

    ray.init(address=address, namespace="omc", log_to_driver=False, logging_level="WARNING")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{bound.getsockname()[1]}\n")
        sys.stdout.flush()
        bound.listen(2_048)
        app = build(Path(home))
        # Looking through what was imported, again and again, would be what the slowest answers wait for.
        gc.collect()
        gc.freeze()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        server.run(sockets=[bound])


if __name__ == "__main__":
    main()
