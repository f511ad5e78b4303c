"""Code that is tried out has one time for all that it is asked."""

from copy import deepcopy

import pytest

from omc.errors import DeadlineExceeded
from omc.promotion.contract import made_market
from serve_apps.lab.time_limit import TimeLimit, hurried
from tests.serve_apps.lab.coding import PLAIN, TWIN

FRAME = made_market(40)
QUESTIONS = {
    "describe": (),
    "traits": ({},),
    "fit": ({}, FRAME),
    "export": (1,),
    "restore": ({}, b""),
    "predict": ({}, FRAME),
    "predict_many": ([{}], FRAME),
    "begin": ({}, FRAME),
    "decide": (FRAME.time(0), FRAME.last[0], FRAME.last[0], FRAME.last[0]),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_asked_when_the_time_is_up_and_of_copies_nothing_either(question):
    limit = TimeLimit(-1.0)
    sandbox = hurried(TWIN, limit).opened("custom", PLAIN)
    for each in (sandbox, deepcopy(sandbox)):
        with pytest.raises(DeadlineExceeded, match="was given up"):
            getattr(each, question)(*QUESTIONS[question])
        assert limit.ran_out
        assert each.cpu_s == 0.0
        each.close()


def test_what_is_asked_in_time_is_answered():
    limit = TimeLimit(1e9)
    assert hurried(TWIN, limit).opened("custom", PLAIN).describe().algorithm_type == "Momentum"
    assert not limit.ran_out
