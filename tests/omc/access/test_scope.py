"""What a program may do follows from what it was given, and from nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from omc.access.scope import Scope, allows

SCOPES = st.sets(st.sampled_from(Scope))


@given(SCOPES)
def test_whoever_may_do_anything_may_look(scopes: set[Scope]):
    assert allows(scopes, Scope.READ) == bool(scopes)


@given(SCOPES, st.sampled_from([Scope.LAB, Scope.TRADE]))
def test_whoever_was_not_given_it_may_not_change_it(scopes: set[Scope], wanted: Scope):
    assert allows(scopes, wanted) == (wanted in scopes)


@given(SCOPES, SCOPES, st.sampled_from(Scope))
def test_more_scopes_never_allow_less(some: set[Scope], more: set[Scope], wanted: Scope):
    assert allows(some | more, wanted) == (allows(some, wanted) or allows(more, wanted))
