"""The process: what it says, how it ends, and what it refuses to start with."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from omc.adapters.coinspot.exchange.__main__ import main
from omc.adapters.coinspot.exchange.server import listening
from omc.adapters.coinspot.exchange.token_file import token_in
from omc.adapters.coinspot.signature import body_of, signature
from omc.errors import InvalidInput

ROOT = Path(__file__).parents[5]
RECORDED = ROOT.parent / "shared/data/coinspot/signed_requests.jsonl"
CANDLES = "timestamp,open,high,low,close,volume\n"


def test_a_process_serves_until_it_is_told_to_stop_and_ends_at_once(start_exchange, tmp_path):
    tape = tmp_path / "BTCUSDT_5m.csv"
    rows = [f"{1735689600 + 300 * bar},{100 + bar},{100 + bar},{100 + bar},{100 + bar},1\n" for bar in range(600)]
    tape.write_text(CANDLES + "".join(rows))
    token = tmp_path / "token"
    process, url = start_exchange("--lockstep", "--token-file", str(token), "--tape", str(tape), "--floor-days", "1")
    try:
        headers = {"x-sandbox-token": token.read_text().strip()}
        clock = httpx.get(f"{url}/sandbox/clock", headers=headers).json()
        assert (clock["position"], clock["bars"]) == (312, 600)
        assert httpx.get(f"{url}/pubapi/v2/latest").json()["prices"]["btc"]["last"] == "412"
        assert token.stat().st_mode & 0o777 == 0o600
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_tape_plays_at_its_speed(start_exchange):
    process, url = start_exchange("--seed", "3", "--days", "1", "--speed", "6000")
    try:
        first = httpx.get(f"{url}/pubapi/v2/latest").json()
        deadline = time.monotonic() + 60
        while httpx.get(f"{url}/pubapi/v2/latest").json() == first:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_process_misbehaves_by_its_seed_and_the_same_each_time(start_exchange):
    said = []
    for _ in range(2):
        _, url = start_exchange(
            "--days", "1", "--faults", "3", "--fault-rate", "0.5", "--faults-only", "html,error-before"
        )
        replies = [httpx.get(f"{url}/pubapi/v2/latest") for _ in range(30)]
        said.append([(reply.status_code, len(reply.content)) for reply in replies])
    assert said[0] == said[1]
    assert 5 < sum(status == 200 and size > 200 for status, size in said[0]) < 25


def test_a_dropped_connection_is_closed_without_a_byte(start_exchange):
    _, url = start_exchange("--days", "1", "--faults", "3", "--fault-rate", "1", "--faults-only", "dropped")
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))) as connection:
            connection.sendall(b"GET /pubapi/v2/latest HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.recv(65536) == b""


def refused(capsys, *arguments):
    assert main([*arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def test_a_port_in_use_is_one_sentence_and_exit_code_2(capsys):
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert refused(capsys, "--port", str(port)) == f"cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_wrong_tape_is_one_sentence_and_exit_code_2(capsys, tmp_path):
    tape = tmp_path / "BTC.csv"
    tape.write_text(CANDLES + "2025-01-01,1,1,1,-1,1\n")
    assert refused(capsys, "--port", "0", "--tape", str(tape)) == f"{tape}, line 2: close is -1: not positive\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--lockstep"], "needs --token-file"),
        (["--speed", "0"], "positive"),
        (["--speed", "nan"], "positive"),
        (["--days", "0"], "a synthetic market lasts"),
        (["--start-at", "999999"], "it cannot start at 999999"),
        (["--start-at", "-1"], "it cannot start at -1"),
        (["--floor-days", "90"], "bars of history"),
        (["--min-order", "-1"], "--min-order takes an amount"),
        (["--depth", "deep"], "--depth takes an amount"),
        (["--rate-limit", "-1"], "rate limit"),
        (["--faults", "-1"], "a plan's seed is a number from 0"),
        (["--faults", "1", "--fault-rate", "1.1"], "the rate of faults is a fraction"),
        (["--faults", "1", "--account-fault-rate", "nan"], "the rate of faults is a fraction"),
        (["--faults", "1", "--faults-only", "html,gremlins"], "there is no fault called 'gremlins'"),
        (["--faults", "1", "--faults-most", "-1"], "the largest number of faults"),
        (["--coin", "$"], "is not a coin"),
        (["--account", "k:planted"], "--account takes KEY:SECRET:CASH"),
        (["--account", "k:planted:much"], "--account takes an amount"),
        (["--account", "k:planted:1", "--account", "k:planted:1"], "open already"),
        (["--read-only-key", "r:planted:nobody"], "--read-only-key"),
        (["--token-file", "/nowhere/at/all"], "token file cannot be made"),
    ],
)
def test_wrong_options_are_one_sentence_that_repeats_no_secret(capsys, arguments, reason):
    said = refused(capsys, "--port", "0", *arguments)
    assert reason in said
    assert "planted" not in said


def test_the_token_file_is_kept_and_must_be_private(tmp_path):
    path = tmp_path / "token"
    token = token_in(path)
    assert token_in(path) == token
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="readable by others"):
        token_in(path)
    path.chmod(0o600)
    path.write_text("\n")
    with pytest.raises(InvalidInput, match="empty"):
        token_in(path)


def test_help_names_every_option():
    done = subprocess.run(
        [sys.executable, "-m", "omc.adapters.coinspot.exchange", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    for option in ("--lockstep", "--speed", "--floor-days", "--token-file", "--signature", "--account", "--min-order"):
        assert option in done.stdout


def test_answers_are_not_held_back_by_nagle(start_exchange):
    process, url = start_exchange("--seed", "1", "--days", "1")
    try:
        with httpx.Client(base_url=url) as client:
            client.get("/pubapi/v2/latest")
            took_s = []
            for _ in range(20):
                started = time.monotonic()
                client.get("/pubapi/v2/latest")
                took_s.append(time.monotonic() - started)
            # Each of them would be held back by 40 ms, and a busy machine does not hold back all.
            assert min(took_s) < 0.03
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.shared
@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded inputs are not beside the project")
@pytest.mark.parametrize(("mode", "admitted"), [("both", 28), ("raw", 32)])
def test_recorded_requests_of_real_clients_are_replayed(start_exchange, mode, admitted):
    requests = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    # Two of them carry the same nonce, so each has an account of its own: the same key in a process of its own.
    let_in = 0
    for nonce_group in _without_equal_nonces(requests):
        process, url = start_exchange("--signature", mode, "--account", "k:testsecret:100000", "--days", "1")
        try:
            for request in nonce_group:
                headers = dict(zip(request["headers"][::2], request["headers"][1::2], strict=True))
                kept = {
                    name: value for name, value in headers.items() if name.lower() in ("key", "sign", "content-type")
                }
                response = httpx.post(url + request["url"], content=request["body"], headers=kept, timeout=30)
                assert response.status_code in (200, 400, 401)
                said = response.json()
                getting_in = (
                    said.get("message") not in ("invalid sign", "invalid nonce") and said["status"] != "invalid"
                )
                assert getting_in == (mode == "raw" or (request["rawok"] and request["canok"]))
                let_in += getting_in
        finally:
            process.terminate()
            process.wait(60)
    assert let_in == admitted


def _without_equal_nonces(requests):
    groups = []
    for request in requests:
        nonce = json.loads(request["body"])["nonce"]
        for group in groups:
            if nonce > json.loads(group[-1]["body"])["nonce"]:
                group.append(request)
                break
        else:
            groups.append([request])
    return groups


def test_two_requests_at_once_are_both_answered(exchange):
    with socket.create_connection(("127.0.0.1", int(exchange.url.rsplit(":", 1)[1]))) as connection:
        connection.sendall(b"GET /pubapi/v2/latest HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
        data = b""
        while data.count(b'"status":"ok"') < 2:
            data += connection.recv(65536)


def test_chunked_bodies_are_read_whole(exchange):
    body = body_of({}, 1)
    pieces = (body[start : start + 5] for start in range(0, len(body), 5))
    response = httpx.post(
        f"{exchange.url}/api/v2/status", content=pieces, headers={"key": "unknown", "sign": signature("x", body)}
    )
    assert response.json()["message"] == "invalid key"
