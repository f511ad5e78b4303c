"""Where Ray keeps what it needs while it runs."""

import stat

import pytest

from cluster.ray_head import RayHead, salvage, session_folder


def test_a_sessions_logs_are_kept_and_the_rest_of_it_is_not(tmp_path):
    folder = session_folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    session = folder / "r" / "session_2026-01-01_00-00-00_000000_1"
    for name in ("logs", "sockets"):
        (session / name).mkdir(parents=True)
    (session / "logs" / "raylet.out").write_text("hello")
    salvage(folder, tmp_path)
    assert (tmp_path / "ray" / "raylet.out").read_text() == "hello"
    assert not folder.exists()


def test_a_folder_that_is_not_a_sessions_is_left_alone(tmp_path):
    salvage(tmp_path, tmp_path / "logs")
    assert tmp_path.exists()


class Node:
    """A Ray node some of whose processes have ended."""

    def __init__(self, *dead):
        self._dead = dead
        self.killed = False

    def dead_processes(self):
        return [(kind, object()) for kind in self._dead]

    def kill_all_processes(self, **_):
        self.killed = True


@pytest.mark.parametrize(
    ("dead", "ended"),
    [
        ((), None),
        (("dashboard", "log_monitor"), None),
        (("dashboard", "raylet"), "raylet"),
        (("gcs_server",), "gcs_server"),
    ],
)
def test_a_node_has_ended_when_a_process_has_that_it_cannot_do_without(dead, ended):
    assert RayHead(Node(*dead)).ended == ended


@pytest.mark.parametrize(("dead", "goodbyes"), [((), 1), (("raylet",), 0)])
def test_a_node_that_has_ended_is_taken_apart_without_a_word_to_it(monkeypatch, dead, goodbyes):
    node, said = Node(*dead), []
    monkeypatch.setattr("ray.shutdown", lambda: said.append(node.killed))
    RayHead(node).stop()
    assert node.killed
    assert said == [False] * goodbyes
