import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omc.adapters.coinspot.javascript import number, parse, parse_int, stringify

RECORDED = Path(__file__).parents[5] / "shared/data/coinspot/signed_requests.jsonl"
NODE = shutil.which("node")
V8 = """
const lines = require('fs').readFileSync(0, 'utf8').split('\\n').filter(line => line);
for (const line of lines) {
  let answer = null;
  try { const value = JSON.parse(JSON.parse(line)); answer = [JSON.stringify(value), parseInt(value, 10)]; } catch {}
  console.log(JSON.stringify(answer));
}
"""

TRICKY = [
    '{"a":50.0,"b":1e-05,"c":1.0,"d":1e-7,"e":1e21,"f":123456789012345680000,"g":-0,"h":0.1,"i":5e-324}',
    '{"b":1,"10":2,"9":3,"a":4,"01":5,"4294967294":6,"4294967295":7,"-1":8}',
    '{"a":1,"b":2,"a":3}',
    '{"caf\\u00e9":"\\u2028\\ud83d\\ude00 \\ud800 \\u0007 \\u007f \\/ \\" \\\\ \\t"}',
    '{"__proto__":{"x":1},"constructor":null}',
    "[1e400,-1e400,1e308,123456789.123456789,9007199254740993,0.000001,0.0000001,1e5,100,1.7976931348623157e308]",
    "NaN",
    '{"a":Infinity}',
    "{'a':1}",
    '{"a":1,}',
    ' {"a" : [ 1 , 2 ] } ',
    '"12abc"',
    "12.9",
    "1e21",
    '" 42"',
    "true",
    "[7]",
    "[]",
    "{}",
    '"-0"',
]


def v8(texts):
    done = subprocess.run(
        [NODE, "-e", V8], input="\n".join(map(json.dumps, texts)), capture_output=True, text=True, check=True
    )
    return [json.loads(line, parse_int=float) for line in done.stdout.split("\n") if line]


def ours(text):
    try:
        value = parse(text)
    except ValueError:
        return None
    whole = parse_int(value)
    return [stringify(value), None if whole is None else float(whole)]


DOUBLES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals("0.00000001", "100000", places=8).map(float),
    st.integers(0, 10**22).map(float),
)
JSON = st.recursive(
    st.none() | st.booleans() | DOUBLES | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers().map(str), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.skipif(NODE is None, reason="there is no node here to compare with")
@settings(deadline=None, max_examples=8)
@given(st.lists(JSON, min_size=40, max_size=40))
def test_it_writes_what_v8_writes(values):
    texts = TRICKY + [json.dumps(value) for value in values]
    assert [ours(text) for text in texts] == v8(texts)


@given(DOUBLES)
def test_a_number_reads_back_as_itself(value):
    assert float(number(value)) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TRICKY[0], '{"a":50,"b":0.00001,"c":1,"d":1e-7,"e":1e+21,"f":123456789012345680000,"g":0,"h":0.1,"i":5e-324}'),
        (TRICKY[1], '{"9":3,"10":2,"4294967294":6,"b":1,"a":4,"01":5,"4294967295":7,"-1":8}'),
        (TRICKY[2], '{"a":3,"b":2}'),
    ],
)
def test_numbers_and_keys_are_put_in_javascripts_order_and_form(text, expected):
    assert stringify(parse(text)) == expected


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded inputs are not beside the project")
def test_it_tells_which_recorded_bodies_are_canonical():
    requests = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    assert [stringify(parse(each["body"])) == each["body"] for each in requests] == [each["canok"] for each in requests]
