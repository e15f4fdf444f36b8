"""What the node says no with: one class per status, the sentence as the real node words it.

Refused
├── Invalid        400
├── Unauthorized   401
├── Forbidden      403
├── Missing        404  also a row in another state than the call needs
├── Exists         409
├── TooLarge       413
└── Broken         500  some client mistakes end here, as on the real node
"""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extra(self) -> dict[str, Any]:
        """Fields beside ``status`` and ``error`` in the envelope."""
        return {}


class Invalid(Refused):
    status = 400


class Unauthorized(Refused):
    status = 401


class Forbidden(Refused):
    status = 403


class Missing(Refused):
    status = 404


class Exists(Refused):
    status = 409

    def __init__(self, message: str, row_id: str, row: dict[str, Any]) -> None:
        super().__init__(message)
        self.row_id, self.row = row_id, row

    @property
    def extra(self) -> dict[str, Any]:
        return {"id": self.row_id, "object": self.row}


class TooLarge(Refused):
    status = 413


class Broken(Refused):
    status = 500


class ConnectionDropped(ConnectionError):
    """Raised where there is no socket to cut: a client inside the same process."""
