"""What one may use, from the command line."""

import json

from omc.cli.main import run

QUOTA = {
    "algorithms": {"limit": 200, "used": 3, "starts_anew_at": None},
    "code_bytes": {"limit": 65_536, "used": None, "starts_anew_at": None},
    "cpu_s": {"limit": 14_400.0, "used": 12.5, "starts_anew_at": "2025-06-11T00:00:00Z"},
}


def test_quotas_are_told_with_what_is_used_of_each(served, capsys):
    served({"GET /lab/quota": QUOTA})
    assert run(["quota"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows == [
        ["algorithms", "3", "200", "–"],
        ["code_bytes", "–", "65536", "–"],
        ["cpu_s", "12.5000", "14400.0000", "2025-06-11T00:00:00Z"],
    ]
    assert run(["quota", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == QUOTA


def test_an_account_is_deleted_by_its_password_and_this_terminal_forgets_it(served, capsys):
    served({"DELETE /users/profile": None, "POST /auth/logout": None})
    assert run(["account", "delete", "--password", "correct horse battery"]) == 0
    assert capsys.readouterr().out == "the account is deleted\n"
