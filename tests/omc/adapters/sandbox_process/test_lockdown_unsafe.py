"""Going without a layer that is missing has to be asked for; what works is set all the same, and the rest is named."""

import errno
import os
import sys
from dataclasses import replace
from types import ModuleType

import pytest

from omc.adapters.sandbox_process import descriptors, landlock, nursery, privileges, seccomp
from omc.adapters.sandbox_process.launch import Wanted
from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import SandboxRefused
from tests.omc.adapters.sandbox_process.owning import BARE, PREPARED
from tests.omc.adapters.sandbox_process.test_lockdown import LOCKED, ROOT, locked, nothing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

MANDATORY = [
    (descriptors, "close_all_but", "descriptors"),
    (privileges, "become_nobody", "user"),
    (privileges, "drop_capabilities", "capabilities"),
    (privileges, "hide", "hiding"),
    (privileges, "die_with_parent", "dying with its parent"),
    (privileges, "gain_none", "no new rights"),
    (Limits, "apply", "limits"),
    (landlock, "restrict", "landlock"),
    (seccomp, "restrict", "seccomp"),
]


def layers(said: list[str]) -> set[str]:
    return {each.split(": ")[0] for each in said}


@pytest.mark.parametrize("fault", [SandboxRefused("it is missing"), OSError(errno.ENOSYS, "it is missing")], ids=repr)
@pytest.mark.parametrize(("holder", "name", "layer"), MANDATORY, ids=[layer for _, _, layer in MANDATORY])
def test_a_layer_is_skipped_only_when_that_is_asked_for_and_is_named(
    holder: ModuleType | type, name: str, layer: str, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise fault

    monkeypatch.setattr(holder, name, missing)
    refused = locked()
    assert "it is missing" in refused
    assert refused.split("\n")[0] != LOCKED
    said, *without = locked(unsafe=True).split("\n")
    assert said == LOCKED
    assert layer in layers(without)
    # What needs it is missing as well, and nothing else.
    assert layers(without) <= {layer, "privileges", *({"landlock", "seccomp"} if layer == "no new rights" else ())}


def test_what_works_is_set_even_where_the_rest_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for holder, name, layer in MANDATORY:
        if layer not in ("seccomp", "no new rights"):
            monkeypatch.setattr(holder, name, nothing)
    said, *without = locked(unsafe=True).split("\n")
    assert said == LOCKED
    assert layers(without) == {"descriptors", "privileges", "limits", "landlock"}


def test_with_every_layer_at_hand_nothing_is_skipped() -> None:
    assert locked(unsafe=True) == LOCKED


def test_descriptors_are_closed_one_by_one_where_no_call_closes_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(descriptors, "_close", missing)
    with open(os.devnull) as held:  # noqa: PTH123
        os.set_inheritable(held.fileno(), True)
        assert locked() == LOCKED


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_sandboxes_go_without_a_lock_only_where_that_was_asked_for_and_it_is_logged_once(
    layer: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "_warned", set())
    prepare = f"from omc.adapters.sandbox_process import {layer}; {layer}.restrict = lambda: open('/not here')"
    safe = Sandboxes(command=(*BARE[:-1], PREPARED.format(prepare)))
    with pytest.raises(SandboxRefused, match="not here"):
        safe.spawn()
    daring = replace(safe, unsafe=True)
    with caplog.at_level("WARNING", logger="omc.sandbox"):
        for _ in range(3):
            daring.spawn().close()
    logged = [record.getMessage() for record in caplog.records]
    assert {each.split(": ")[1] for each in logged} == {layer}
    assert len(logged) == len(set(logged))
    # What one asks for is not given to others who share the zygote.
    with pytest.raises(SandboxRefused, match="not here"):
        safe.spawn()
    safe.close()


def test_where_every_lock_works_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    own = Sandboxes(command=BARE, unsafe=True)
    own.spawn().close()
    own.close()
    assert not caplog.records


def test_nothing_is_unsafe_by_default() -> None:
    assert not Sandboxes().unsafe
    assert not Wanted(Limits()).unsafe


@pytest.mark.skipif(not ROOT, reason="not root here")
def test_who_does_not_ask_in_so_many_words_is_not_taken_to() -> None:
    for odd in (1, "true", [True]):
        wanted = replace(Wanted(Limits()), unsafe=odd)  # type: ignore[arg-type]
        prepare = "from omc.adapters.sandbox_process import landlock; landlock.restrict = lambda: open('/not here')"
        own = Sandboxes(command=(*BARE[:-1], PREPARED.format(prepare)))
        with pytest.raises(SandboxRefused, match="not here"):
            own._nursery().spawn(wanted)
        own.close()
