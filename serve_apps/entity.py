"""What an answer is known by, so that nobody is sent again what he has: a strong ETag, and for how long it holds."""

import hashlib
import json
import re
from typing import Any

from fastapi import Response

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")', re.ASCII)


def entity_tag(*known: Any) -> str:
    """Of everything that decides what the answer is."""
    text = json.dumps([str(each) for each in known]).encode()
    return f'"{hashlib.blake2b(text, digest_size=15).hexdigest()}"'


def cached(tag: str | None, max_age_s: int) -> dict[str, str]:
    """Headers of an answer that its asker may keep, and nobody between."""
    held = {"Cache-Control": f"private, max-age={max_age_s}", "Vary": "Accept, Authorization"}
    return held | ({"ETag": tag} if tag else {})


def not_modified(if_none_match: str, tag: str | None, max_age_s: int) -> Response | None:
    """304 when the asker names what there still is."""
    if tag is None:
        return None
    named = if_none_match.strip()
    return (
        Response(status_code=304, headers=cached(tag, max_age_s))
        if named == "*" or tag in _TAG.findall(named)
        else None
    )
