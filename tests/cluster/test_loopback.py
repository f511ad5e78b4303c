"""A replica's own port."""

import grpc
import pytest

from cluster.loopback import keep_replicas_inside, on_loopback


def test_an_address_on_all_interfaces_becomes_the_loopback():
    asked = on_loopback(lambda server, address: (server, address))
    assert asked("server", "[::]:0") == ("server", "127.0.0.1:0")


def test_serve_still_opens_that_port_where_we_expect_it():
    from ray.serve._private import replica

    original = replica.add_port_to_grpc_server
    try:
        keep_replicas_inside()
        once = replica.add_port_to_grpc_server
        keep_replicas_inside()
        assert replica.add_port_to_grpc_server is once is not original
    finally:
        replica.add_port_to_grpc_server = original


async def test_whoever_comes_to_that_port_is_asked_for_rays_token():
    from ray.serve._private import replica
    from ray.serve.generated import serve_pb2, serve_pb2_grpc

    server = replica.create_grpc_server_with_interceptors(asynchronous=True)
    replica.add_ASGIServiceServicer_to_server(serve_pb2_grpc.ASGIServiceServicer(), server)
    port = replica.add_port_to_grpc_server(server, "127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await serve_pb2_grpc.ASGIServiceStub(channel).HandleRequest(serve_pb2.ASGIRequest())
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    await server.stop(None)
