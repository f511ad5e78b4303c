"""Where Ray keeps what it needs while it runs."""

import stat

from cluster.ray_head import salvage, session_folder


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
