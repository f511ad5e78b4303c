"""Examples of what is sent and what is answered, made from the schemas: they are valid by construction, and as quiet as
the field's own name lets them be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DEEPEST = 6
_ID = "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90"
_TIME = "2025-06-01T00:00:00Z"
# What a field of that name holds, where its schema takes it.
_BY_NAME: Mapping[str, tuple[Any, ...]] = {
    "email": ("ada@example.com",),
    "password": ("correct horse battery staple",),
    "current_password": ("correct horse battery staple",),
    "new_password": ("another horse battery staple",),
    "full_name": ("Ada Lovelace",),
    "name": ("Trend", "coinspot", "trend"),
    "description": ("Follows the trend of two averages.",),
    "message": (None, "done"),
    "last_error": (None,),
    "refusal": (None,),
    "algorithm_type": ("moving_average_crossover",),
    "code": (None,),
    "parameters": ({"fast_bars": 12, "slow_bars": 48},),
    "deployment_name": ("Trend on paper",),
    "coins": (["BTC", "ETH"],),
    "coin": ("BTC",),
    "cash": ("10000.00", "10000.00000000"),
    "initial_cash": ("10000.00", "10000.00000000"),
    "bid": ("98000.10000000",),
    "ask": ("98420.50000000",),
    "last": ("98210.00000000",),
    "price": ("98210.00000000",),
    "equity": ("10250.75000000",),
    "quantity": ("0.01250000",),
    "filled_quantity": ("0.01250000",),
    "is_superuser": (False,),
    "version": (1, "0.1.0"),
    "start_date": ("2025-05-01",),
    "end_date": ("2025-05-31",),
    "mode": ("paper",),
    "reason": ("asked for by the owner",),
    "api_key": ("abcd…wxyz", "your-api-key"),
    "api_secret": ("your-api-secret",),
    "refresh_token": ("the-refresh-token",),
    "access_token": ("the-access-token",),
    "space": ({"fast_bars": [4, 8, 12], "slow_bars": [24, 48]},),
    "status": ("active", "completed", "validated", "ok"),
    "side": ("buy",),
    "total": (1,),
    "page": (1,),
    "per_page": (20,),
    "pages": (1,),
}


@dataclass(frozen=True, slots=True)
class Examples:
    """Of what the schemas describe into which references lead."""

    schemas: Mapping[str, Any]
    whole: bool
    """Whether fields that may be left out are shown, as every answer has them."""

    def of(self, schema: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
        """A value that `schema` takes, for a field of that name."""
        if "$ref" in schema:
            return self.of(self.schemas[schema["$ref"].rpartition("/")[2]], name, depth)
        for known in ("const", "example", "default"):
            if schema.get(known) is not None:
                return schema[known]
        if "enum" in schema:
            return next((each for each in _BY_NAME.get(name, ()) if each in schema["enum"]), schema["enum"][0])
        fitting = next((each for each in _BY_NAME.get(name, ()) if _is_of(each, schema)), None)
        if fitting is not None:
            return fitting
        if schema.get("examples"):
            return schema["examples"][0]
        if "allOf" in schema:
            return self.of(schema["allOf"][0], name, depth)
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self._chosen(choices, name, depth)
        return self._made(schema, name, depth)

    def _chosen(self, choices: list[Any], name: str, depth: int) -> Any:
        """The first of several that says something; nothing, where it goes too deep."""
        may_be_none = any(each.get("type") == "null" for each in choices)
        known = _BY_NAME.get(name, ())
        if may_be_none and (depth >= _DEEPEST or (known and known[0] is None)):
            return None
        return self.of(next(each for each in choices if each.get("type") != "null"), name, depth)

    def _made(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                needed = schema.get("required", [])
                return {
                    key: None if each.get("default", key) is None else self.of(each, key, depth + 1)
                    for key, each in schema.get("properties", {}).items()
                    if self.whole or key in needed or (depth < 2 and not _is_optional(each))
                }
            case "array":
                if depth >= _DEEPEST and not schema.get("minItems"):
                    return []
                count = max(1, schema.get("minItems", 1))
                return [self.of(schema.get("items", {}), name.removesuffix("s"), depth + 1)] * count
            case "string":
                return _text(schema, name)
            case "integer":
                return int(_number(schema, 1))
            case "number":
                return _number(schema, 0.5)
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return {}


def _text(schema: Mapping[str, Any], name: str) -> str:
    match schema.get("format"):
        case "uuid":
            return _ID
        case "date-time":
            return _TIME
        case "date":
            return _TIME[:10]
        case _:
            text = name or "text"
            return text.ljust(schema.get("minLength", 0), "-")[: schema.get("maxLength", 10_000)]


def _number(schema: Mapping[str, Any], usual: float) -> float:
    """The usual one, or the nearest that lies within bounds."""
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    if least is not None and usual < least + ("exclusiveMinimum" in schema) * 1e-9:
        usual = least + (1 if "exclusiveMinimum" in schema else 0)
    return usual if most is None or usual <= most else float(most)


def _is_optional(schema: Mapping[str, Any]) -> bool:
    """Whether leaving it out is the usual thing."""
    return "default" in schema or any(each.get("type") == "null" for each in schema.get("anyOf", []))


def _is_of(value: Any, schema: Mapping[str, Any]) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    kind = kinds.get(schema.get("type", ""))
    if kind is None or not isinstance(value, kind):
        return False
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    if isinstance(value, dict):
        return "properties" not in schema
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return False
    return not schema.get("format")
