"""How long a buyer's texts may be, and how large a request a form needs."""

from __future__ import annotations

from masumi_sumi.flows.forms import Field, Form

FIELD_BYTES = 64 * 1024
"""The limit of a text whose field sets none."""

_BYTES_OF_UNIT = 6
"""What JSON needs at most for a UTF-16 code unit, written as an escape."""


def is_too_long(field: Field, text: str) -> bool:
    """A field that sets a length of its own is checked against that, and only against that."""
    if field.max_length is not None or len(text) * 4 <= FIELD_BYTES:
        return False
    return len(text.encode("utf-8", "surrogatepass")) > FIELD_BYTES


def body_bytes_of(form: Form) -> int:
    """Return the bytes of the largest request that the form's long fields allow; 0 if none is long.

    Long is a field that allows more than what every field may have.
    """
    lengths = [field.max_length or 0 for field in form.fields]
    long = sum(length for length in lengths if length > FIELD_BYTES)
    return FIELD_BYTES + long * _BYTES_OF_UNIT if long else 0
