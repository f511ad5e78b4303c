"""Code from files, and what is wrong with it where it stands."""

import pytest

from omc.cli import code
from omc.cli.outcome import ExitCode, Failure
from omc.strategy.sandbox import source


def test_a_file_is_read_as_it_is(tmp_path):
    file = tmp_path / "my own algorithm.py"
    file.write_text("# Grüße\nclass A: ...\n", encoding="utf-8")
    assert code.read(file) == "# Grüße\nclass A: ...\n"
    file.write_bytes(b"\xef\xbb\xbf# an editor's mark\n")
    assert code.read(file) == "# an editor's mark\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        ("folder", "is a directory"),
        (b"ok = 1\nname = '\xe9'\n", "line 2: this is not UTF-8"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"#" * 200_001, "larger than 200,000 bytes, the most that any platform takes"),
    ],
    ids=["missing", "a folder", "not UTF-8", "empty", "blank", "too large"],
)
def test_a_file_that_cannot_be_code_is_one_clear_sentence(tmp_path, content, said):
    file = tmp_path / "mine.py"
    if content == "folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(Failure, match=said) as refused:
        code.read(file)
    assert str(file) in str(refused.value)
    assert refused.value.exit_code is ExitCode.USAGE


def test_as_much_is_read_as_the_platform_takes(tmp_path):
    assert code.MOST_BYTES == source.MOST_BYTES
    (tmp_path / "mine.py").write_bytes(b"#" * code.MOST_BYTES)
    assert len(code.read(tmp_path / "mine.py")) == code.MOST_BYTES


def test_a_finding_stands_below_its_place_with_a_caret_under_it(capsys):
    rows = [
        {"line": 2, "column": 6, "rule": "name", "message": "open is not available"},
        {"line": 3, "column": None, "rule": "contract", "message": "[it] adds up to 2"},
        {"line": None, "column": None, "rule": "look_ahead", "message": "bar 7 changes\nwith bar 9"},
        {"line": 99, "column": 1, "rule": "syntax", "message": "beyond the end"},
    ]
    code.findings(rows, "a = 1\n\tx = open('b')\nlast\n", "mine.py")
    assert capsys.readouterr().out.splitlines() == [
        "mine.py:2:6: name: open is not available",
        "        x = open('b')",
        "            ^",
        "mine.py:3: contract: [it] adds up to 2",
        "    last",
        "mine.py: look_ahead: bar 7 changes with bar 9",
        "mine.py:99:1: syntax: beyond the end",
    ]


def test_code_gives_the_terminal_no_orders(capsys):
    row = {"line": 1, "column": 1, "rule": "name", "message": "nothing is called \x1b[2J"}
    code.findings([row], "x\x1b]0;title\x07", "mine.py")
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed
