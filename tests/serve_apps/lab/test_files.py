"""What is saved is what was there, and does nothing by being opened."""

import numpy as np
import pytest

from serve_apps.lab.files import as_csv


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\n=1", "\uff1d1"])
def test_no_text_is_a_formula_to_a_spreadsheet(text):
    assert as_csv({"error": [text]}).partition("\r\n")[2].lstrip('"').startswith("'" + text[0])


def test_numbers_stay_numbers():
    assert as_csv({"a": np.array([-1.5, np.nan]), "b": [None, -2]}) == "a,b\r\n-1.5,\r\n,-2\r\n"
