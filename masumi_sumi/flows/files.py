"""The types of a model's field that asks for files."""

from __future__ import annotations

from typing import Annotated

from pydantic import WithJsonSchema

FILE_FORMAT = "masumi-sumi-file"

File = Annotated[str, WithJsonSchema({"type": "string", "format": FILE_FORMAT})]
"""The path of an uploaded file in its execution, as Kodosumi's ``tracer.fs()`` takes it."""

Files = Annotated[
    list[str],
    WithJsonSchema({"type": "array", "items": {"type": "string", "format": FILE_FORMAT}}),
]
"""Any number of them."""
