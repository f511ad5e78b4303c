"""What the guide shows can be read, and names what is there."""

import ast
import re
from pathlib import Path

import pytest

from omc.client import errors, models
from omc.client.client import Client

GUIDE = (Path(__file__).parents[3] / "docs" / "how-to" / "use-the-api.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_calls_what_the_client_has(example):
    tree = ast.parse(example)
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "client"
    }
    assert [name for name in asked if not hasattr(Client, name)] == []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in ("omc.client.models", "omc.client.errors"):
            found = models if node.module.endswith("models") else errors
            assert [name.name for name in node.names if not hasattr(found, name.name)] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_an_example_sends_is_what_it_says(example):
    for node in ast.walk(ast.parse(example)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(models, node.func.id):
            said = {each.arg: ast.literal_eval(each.value) for each in node.keywords}
            assert getattr(models, node.func.id)(**said).model_dump(mode="json", exclude_unset=True) == said
