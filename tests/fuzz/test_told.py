"""What parts of the fuzzing tell is added up, and what nothing was tried behind is named."""

from tests.fuzz.told import Told


def test_answers_of_all_parts_are_added_up():
    one = Told(False, {"GET /a": {"200": 2, "404": 1}}, {"GET /a": 1.5})
    other = Told(True, {"GET /a": {"404": 1}, "GET /b": {"409": 3}}, {"GET /a": 0.5, "GET /b": 4.0})
    both = Told.together([one, other])
    assert both.failed
    assert both.answers == {"GET /a": {"200": 2, "404": 2}, "GET /b": {"409": 3}}
    assert both.seconds == {"GET /a": 2.0, "GET /b": 4.0}


def test_what_never_succeeded_is_named_of_those_who_are_signed_in():
    told = Told(False, {"GET /a": {"200": 2, "404": 1}, "GET /b": {"409": 3}}, {"GET /a": 2.0, "GET /b": 4.0})
    assert list(told.lines(signed_in=True)) == [
        "signed in: 2 operations, 6 answers: 2 x 200, 1 x 404, 3 x 409",
        "waited longest for GET /b (4 s), GET /a (2 s)",
        "1 of 2 operations succeeded at least once; those that never did:",
        "GET /b",
    ]
    assert len(list(told.lines(signed_in=False))) == 2
