"""Who shows a token is told by it, by as few questions to the store as can be."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.api_token import ApiToken, MemoryApiTokenStore, digest, id_in, looks_like_one, token_text
from omc.access.asker import GONE_BY, REMEMBERED, Asker, Askers
from omc.access.scope import Scope
from omc.access.signer import Claims, MemoryTokenSigner
from omc.clock import ManualClock
from omc.errors import Forbidden, InvalidInput, Unauthenticated

NOW = datetime(2025, 1, 1, tzinfo=UTC)
SECRET = "s" * 43


@dataclass(slots=True)
class Counting(MemoryApiTokenStore):
    """One that counts what it is asked."""

    asked: int = 0

    async def find(self, token_id: UUID) -> ApiToken | None:
        self.asked += 1
        return await MemoryApiTokenStore.find(self, token_id)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
def askers(store: Counting, clock: ManualClock) -> Askers:
    return Askers(MemoryTokenSigner(), clock, store)


async def made(store: MemoryApiTokenStore, *scopes: Scope) -> str:
    token_id = uuid4()
    text = token_text(token_id, SECRET)
    life = NOW + timedelta(days=1)
    await store.add(ApiToken(token_id, uuid4(), "x", frozenset(scopes or {Scope.READ}), digest(text), NOW, life))
    return text


def test_the_text_of_a_token_names_its_id():
    token_id = uuid4()
    text = token_text(token_id, SECRET)
    assert (looks_like_one(text), id_in(text)) == (True, token_id)
    assert [id_in(other) for other in ("omc_", text[:-1], text + "\n", text.upper(), "a.b.c")] == [None] * 5


def test_a_token_without_a_scope_or_an_end_is_none():
    with pytest.raises(InvalidInput):
        ApiToken(uuid4(), uuid4(), "x", frozenset(), "d", NOW, NOW + timedelta(days=1))
    with pytest.raises(InvalidInput):
        ApiToken(uuid4(), uuid4(), "x", frozenset({Scope.READ}), "d", NOW, NOW + timedelta(days=400))


def test_a_token_does_not_print_its_digest():
    assert "d1gest" not in repr(
        ApiToken(uuid4(), uuid4(), "x", frozenset({Scope.READ}), "d1gest", NOW, NOW + timedelta(days=1))
    )


async def test_a_person_may_do_all_and_a_program_what_it_is_for(store, clock):
    signer = MemoryTokenSigner()
    askers = Askers(signer, clock, store)
    person = await askers.known(signer.sign(Claims(uuid4(), uuid4(), NOW, NOW + timedelta(minutes=15))))
    program = await askers.known(await made(store, Scope.LAB))
    for wanted in (None, *Scope):
        person.check(wanted)
    program.check(Scope.READ)
    program.check(Scope.LAB)
    for wanted in (None, Scope.TRADE):
        with pytest.raises(Forbidden):
            program.check(wanted)
    assert (person.is_person, program.is_person) == (True, False)


async def test_a_token_in_steady_use_is_looked_up_every_few_seconds(askers, store, clock):
    text = await made(store)
    for _ in range(10):
        await askers.known(text)
    assert store.asked == 1
    clock.advance(REMEMBERED)
    await askers.known(text)
    assert store.asked == 2


async def test_what_is_remembered_proves_nothing_for_another_secret(askers, store):
    text = await made(store)
    await askers.known(text)
    with pytest.raises(Unauthenticated):
        await askers.known(text[:-1] + "t")
    assert store.asked == 1


async def test_made_up_tokens_push_none_out_of_memory(askers, store):
    text = await made(store)
    await askers.known(text)
    for _ in range(1_500):
        with pytest.raises(Unauthenticated):
            await askers.known(token_text(uuid4(), SECRET))
    assert isinstance(await askers.known(text), Asker)
    assert store.asked == 1_501


async def test_a_clock_that_was_set_back_lengthens_nothing(askers, store, clock):
    text = await made(store)
    await askers.known(text)
    clock.advance(-timedelta(hours=1))
    await askers.known(text)
    assert store.asked == 2


async def test_whose_token_it_is_can_be_told_without_a_question_where_it_was_believed_lately(
    askers: Askers, store: Counting, clock: ManualClock
):
    text = await made(store, Scope.TRADE)
    assert askers.at_hand(text) is None, "nobody has shown it yet"
    owner = (await askers.known(text)).user_id
    asked, other = store.asked, text[:-1] + "t"
    clock.advance(GONE_BY - timedelta(seconds=1))
    assert [askers.at_hand(each) for each in (text, other, "omc_", "")] == [owner, None, None, None]
    clock.advance(timedelta(seconds=1))
    assert askers.at_hand(text) is None
    assert store.asked == asked


def test_a_session_is_told_by_its_signature_and_its_time(clock: ManualClock):
    signer, user_id = MemoryTokenSigner(), uuid4()
    askers = Askers(signer, clock, MemoryApiTokenStore())
    text = signer.sign(Claims(user_id, uuid4(), NOW, NOW + timedelta(minutes=1)))
    assert (askers.at_hand(text), askers.at_hand(f"{text}x")) == (user_id, None)
    clock.advance(timedelta(minutes=1))
    assert askers.at_hand(text) is None
