"""What a start says at the terminal of what people's code runs behind."""

from cluster import boot
from cluster.confinement import Confinement


def said(confinement, capsys):
    boot._tell(confinement)
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_where_all_is_well_nothing_is_said(capsys):
    assert said(Confinement(None), capsys) == ""


def test_that_code_is_refused_is_one_line_with_the_reason(capsys):
    assert said(Confinement("no landlock"), capsys) == "omc: people's code is refused: no landlock\n"


def test_nobody_can_miss_that_it_runs_unsafe(capsys):
    first, second, third = said(Confinement("no landlock", asked=True), capsys).splitlines()
    assert first == third == "!" * 72
    assert second.startswith("omc: UNSAFE: ")
    assert "no landlock" in second


def test_that_nobody_needed_to_ask_is_said_quietly(capsys):
    assert said(Confinement(None, asked=True), capsys).startswith("omc: --allow-unsafe-sandbox was not needed")
