"""An element of our own inside an HTML element of Kodosumi's, so that every panel shows it.

The released panel drops elements whose type it does not know, and takes no further keys on those
it knows: a required field would vanish without a word. As HTML the field is shown and posted
everywhere; its facts travel along in a comment at the end of the text, for whoever can read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_OPEN, _CLOSE = "<!--masumi_sumi ", "-->"


def disguised(facts: Mapping[str, Any], html: str) -> dict[str, Any]:
    """An HTML element that looks like ``html`` and carries ``facts`` (``{"type": ..., ...}``)."""
    told = json.dumps(facts, default=str).replace("<", "\\u003c").replace(">", "\\u003e")
    return {"type": "html", "text": f"{html}{_OPEN}{told}{_CLOSE}"}


def undisguised(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts that an element carries; the element itself where it carries none."""
    text = element.get("text")
    if element.get("type") != "html" or not isinstance(text, str) or not text.endswith(_CLOSE):
        return element
    told = text.removesuffix(_CLOSE).rpartition(_OPEN)[2]
    try:
        facts = json.loads(told)
    except ValueError:
        return element
    return facts if isinstance(facts, dict) else element
