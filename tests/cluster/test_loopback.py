"""A replica's own port."""

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
