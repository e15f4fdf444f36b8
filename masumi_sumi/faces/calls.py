"""What a path below a flow asks for."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Call:
    """An action of the flow at ``base``, which is "" at the root; with ``job_id`` where the path
    ends with the job that is meant.
    """

    base: str
    action: str
    job_id: str = ""

    @property
    def tail(self) -> str:
        return f"{self.action}/{self.job_id}".rstrip("/")


def call_of(path: str, actions: Container[str], with_job: Container[str] = ()) -> Call | None:
    """The call at a path, None where none is. Actions ``with_job`` may be followed by a job."""
    above, _, last = path.rstrip("/").rpartition("/")
    if last in actions:
        return Call(above, last)
    base, _, action = above.rpartition("/")
    return Call(base, action, last) if action in with_job and _JOB_ID.fullmatch(last) else None
