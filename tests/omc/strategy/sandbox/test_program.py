"""What is refused says where, what and why; whatever is sent, there is an answer and no crash."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.errors import InvalidInput
from omc.strategy.sandbox import check, compile_source
from omc.strategy.sandbox.source import MOST_BYTES


def said(source):
    return [(each.line, each.column, each.rule) for each in check(source)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1\nx.__class__", (2, 1, "attribute")),
        ("def f():\n    import os", (2, 5, "import")),
        ("x = (1 +\n  open('a'))", (2, 3, "name")),
        ("from numpy import zeros, load", (1, 1, "import")),
        ("try:\n    x = 1\nexcept:\n    x = 2", (3, 1, "statement")),
        ("async def f(): pass", (1, 1, "statement")),
        ("class A(metaclass=type): pass", (1, 1, "class")),
        ("x = [_getattr_ for i in [1]]", (1, 6, "name")),
        ("match 1:\n    case int.real: pass", (2, 10, "pattern")),
        ("x = 1\ny = nowhere", (2, 5, "name")),
        ("x = (", (1, 5, "syntax")),
        ("def f(:\n  pass", (1, 7, "syntax")),
        ("return 1", (1, 1, "syntax")),
        ("x = [i async for i in []]", (1, 18, "statement")),
        ("for i in [1]: pass\nelse: break", (2, 7, "syntax")),
        ("x = 1\n\0", (2, 1, "encoding")),
        ("x = '\ud800'", (1, 6, "encoding")),
        (b"x = 1\ny = '\xff'", (2, 6, "encoding")),
        (b"\xff\xfe", (1, 1, "encoding")),
        ("x = 1" + "0" * 5_000, (1, 1, "syntax")),
        ("x = 0x" + "f" * 5_000, (1, 5, "number")),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_finding_names_line_and_column(source, found):
    assert found in said(source) or found[:2] == said(source)[0][:2]
    with pytest.raises(InvalidInput, match=rf"line {found[0]}, column \d+: "):
        compile_source(source)


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("x = 1 #" + "a" * 1_000_000, "size"),
        (b"#" * (MOST_BYTES + 1), "size"),
        ("x = " + "+".join(["1"] * 50_000), "nesting"),
        ("x = " + "-" * 90_000 + "1", "nesting"),
        ("x = " + "a" + ".b" * 60_000, "nesting"),
        ("x = " + "not " * 40_000 + "1", "nesting"),
        ("x = " + "lambda: " * 20_000 + "1", "nesting"),
        ("x = " + "[" * 150 + "]" * 150, "nesting"),
        ("x = " + "(" * 5_000, "syntax"),
        ("if 1:\n pass\n" + "elif 1:\n pass\n" * 5_000, "nesting"),
        ("".join(" " * at + "if 1:\n" for at in range(200)), "syntax"),
        ("x = 1\n" * 30_000, "nesting"),
        ("x = f'" + '{f"' * 50, "syntax"),
    ],
)
def test_what_would_end_a_compiler_is_a_finding(source, rule):
    findings = check(source)
    assert [each.rule for each in findings] == [rule]
    assert len(str(findings[0])) < 300


def test_a_refusal_lists_the_first_findings_and_counts_the_rest():
    with pytest.raises(InvalidInput, match="and 30 more"):
        compile_source("import os\n" * 50)


def test_a_message_says_what_to_do_instead():
    assert "f-string" in str(check("'{}'.format(1)")[0])
    assert "no files" in str(check("open('a')")[0])
    assert "except Exception" in str(check("try:\n  pass\nexcept:\n  pass")[0])


def test_code_that_is_fine_has_no_findings():
    assert check("import numpy as np\nx = np.zeros(3)[0]\n") == []
    assert check("") == []
    assert check(b"\xef\xbb\xbfx = 1") == []
    assert check("# coding: utf-7\nx = 1") == []


def test_names_that_are_handed_in_are_known():
    assert check("x = given") != []
    assert check("x = given", frozenset({"given"})) == []
    names = compile_source("x = given + 1", frozenset({"given"})).run({"given": 1})
    assert names["x"] == 2


def test_what_is_printed_is_handed_out_and_cut():
    told = []
    compile_source("print('a', 1, sep='-')\nprint('b' * 1_000_000)").run(out=told.append)
    assert told[0] == "a-1\n"
    assert len(told[1]) <= 10_001


def test_runs_share_nothing():
    program = compile_source("import random\nx = random.random()\nseen = []\nseen.append(x)")
    first, second = program.run(), program.run()
    assert first["seen"] == second["seen"]
    assert first["seen"] is not second["seen"]


def test_a_facade_cannot_be_changed_from_a_run():
    with pytest.raises(InvalidInput):
        compile_source("np.zeros = 1").run()
    with pytest.raises(InvalidInput):
        compile_source("import math\nmath.pi = 3").run()


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_anything_at_all_gets_an_answer(source):
    for each in check(source):
        assert each.line >= 1
        assert each.column >= 1
        assert each.message


_PYTHON = """x y = ( ) [ ] { } : . , + ** % @ * -> := if else for in def class return yield lambda try except finally
with as match case import from not None 1 'a' f'{x}' _a _a_ __a__ async await global del raise"""
_WORDS = st.sampled_from([*_PYTHON.split(), "\n", "\n", "\n "])


@settings(max_examples=500, deadline=None)
@given(st.lists(_WORDS, max_size=25))
def test_whatever_parses_is_compiled_or_refused(words):
    check(" ".join(words))
