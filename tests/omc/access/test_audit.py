"""Whatever is done to a chain after it was written is found, and found at its place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.audit import GENESIS, Entry, Flaw, Happening, Link, verify
from omc.access.audit_trail import MemoryAuditTrail, verify_all

ACCOUNT, OTHER = UUID(int=1), UUID(int=2)
NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)

happenings = st.builds(
    Happening,
    account=st.just(ACCOUNT),
    at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone itself
    actor=st.text(max_size=8),
    action=st.text(max_size=8),
    subject=st.text(max_size=8),
    details=st.dictionaries(st.text(max_size=4), st.none() | st.booleans() | st.integers() | st.text(max_size=4)),
    address=st.text(max_size=8),
    request_id=st.text(max_size=8),
)
chains = st.lists(happenings, min_size=1, max_size=6)


def chain(happened: list[Happening]) -> list[Entry]:
    entries, link = list[Entry](), GENESIS
    for each in happened:
        entries.append(Entry.after(link, each))
        link = entries[-1].link
    return entries


@given(chains)
def test_a_chain_as_it_was_written_has_no_flaw(happened):
    entries = chain(happened)
    assert verify(ACCOUNT, entries, entries[-1].link) is None
    assert verify(ACCOUNT, [], GENESIS) is None


CHANGES = {
    "account": OTHER,
    "at": NOON + timedelta(days=9_000),
    "actor": "user:somebody else",
    "action": "nothing.at_all",
    "subject": "something else",
    "details": {"status": 299},
    "address": "192.0.2.77",
    "request_id": "another one",
}


@pytest.mark.parametrize("name", CHANGES)
@given(happened=chains, data=st.data())
def test_any_field_that_is_changed_is_found_where_it_is(name, happened, data):
    entries = chain(happened)
    at = data.draw(st.integers(0, len(entries) - 1))
    told = replace(entries[at].happening, **{name: CHANGES[name]})
    changed = [*entries[:at], replace(entries[at], happening=told), *entries[at + 1 :]]
    flaw = verify(ACCOUNT, changed, entries[-1].link)
    assert isinstance(flaw, Flaw)
    assert (flaw.account, flaw.seq) == (ACCOUNT, at + 1)


@pytest.mark.parametrize("name", ["seq", "previous", "hash"])
@given(happened=chains, data=st.data())
def test_a_place_in_the_chain_that_is_changed_is_found_where_it_is(name, happened, data):
    entries = chain(happened)
    at = data.draw(st.integers(0, len(entries) - 1))
    changed = replace(entries[at], **{name: 99 if name == "seq" else "f" * 64})
    flaw = verify(ACCOUNT, [*entries[:at], changed, *entries[at + 1 :]], entries[-1].link)
    assert flaw is not None
    assert flaw.seq == at + 1


@given(chains, st.data())
def test_an_entry_that_is_taken_out_is_found_missing(happened, data):
    entries = chain(happened)
    at = data.draw(st.integers(0, len(entries) - 1))
    flaw = verify(ACCOUNT, entries[:at] + entries[at + 1 :], entries[-1].link)
    assert flaw is not None
    assert flaw.seq == at + 1
    assert "missing" in flaw.what


@given(chains, st.data())
def test_an_end_that_is_cut_off_is_found_by_the_head(happened, data):
    entries = chain(happened)
    left = data.draw(st.integers(0, len(entries) - 1))
    assert verify(ACCOUNT, entries[:left], entries[-1].link) == Flaw(
        ACCOUNT, left + 1, f"it is missing, and all after it: the head is at {len(entries)}"
    )


@given(chains, st.data())
def test_an_entry_that_is_doubled_is_found(happened, data):
    entries = chain(happened)
    at = data.draw(st.integers(0, len(entries) - 1))
    flaw = verify(ACCOUNT, [*entries[: at + 1], *entries[at:]], entries[-1].link)
    assert flaw is not None
    assert flaw.seq == at + 2


@given(st.lists(happenings, min_size=2, max_size=6, unique_by=lambda each: each.digest), st.data())
def test_two_entries_that_are_swapped_are_found_whether_or_not_their_numbers_are(happened, data):
    entries = chain(happened)
    first, second = sorted(data.draw(st.permutations(range(len(entries))))[:2])
    moved = list(entries)
    moved[first], moved[second] = moved[second], moved[first]
    flaw = verify(ACCOUNT, moved, entries[-1].link)
    assert flaw is not None
    assert flaw.seq == first + 1
    moved[first] = replace(moved[first], seq=first + 1, previous=entries[first].previous)
    moved[second] = replace(moved[second], seq=second + 1, previous=entries[second].previous)
    flaw = verify(ACCOUNT, moved, entries[-1].link)
    assert flaw is not None
    assert flaw.seq == first + 1


@given(chains, happenings)
def test_an_entry_that_the_head_does_not_know_is_found(happened, added):
    entries = chain([*happened, added])
    flaw = verify(ACCOUNT, entries, entries[-2].link)
    assert flaw is not None
    assert flaw.seq == len(entries)


async def test_a_chain_that_was_written_anew_is_found_by_a_head_that_somebody_kept():
    trail = MemoryAuditTrail()
    for action in ("first", "second", "third"):
        kept = await trail.append(Happening(ACCOUNT, NOON, "cli", action))
    assert (await verify_all(trail, {ACCOUNT: kept})).flaws == ()
    forged = MemoryAuditTrail()
    for action in ("first", "forged", "third", "fourth"):
        await forged.append(Happening(ACCOUNT, NOON, "cli", action))
    assert (await verify_all(forged)).flaws == ()
    (flaw,) = (await verify_all(forged, {ACCOUNT: kept})).flaws
    assert (flaw.account, flaw.seq) == (ACCOUNT, 3)
    (gone,) = (await verify_all(MemoryAuditTrail(), {ACCOUNT: kept})).flaws
    assert (gone.account, gone.seq) == (ACCOUNT, 1)
    (shorter,) = (await verify_all(trail, {ACCOUNT: Link(5, "a" * 64)})).flaws
    assert shorter.seq == 4
