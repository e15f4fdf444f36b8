"""The captured launch as bytes: compressed cloudpickle.

It is made in an app's replica and opened in a runner, in the same environment, and nowhere else:
what it holds is the author's code and a stranger's input.
"""

from __future__ import annotations

import zlib
from typing import Any

from ray import cloudpickle

_PICKLE = b"\x80"
"""How a pickle begins; compressed data never begins so."""


def pack(spec: dict[str, Any]) -> bytes:
    return zlib.compress(cloudpickle.dumps(spec))


def unpack(packed: bytes) -> dict[str, Any]:
    """Return what was packed; specs of earlier versions are plain pickles."""
    plain = packed if packed.startswith(_PICKLE) else zlib.decompress(packed)
    found: dict[str, Any] = cloudpickle.loads(plain)
    return found
