"""What exposes need from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from masumi_sumi.jobs.sale import Sale


@dataclass(frozen=True, slots=True)
class FoundFlow:
    """A flow as its app tells it. ``path`` is the path inside the app.

    ``sale`` is None where the app sells nothing, or does not tell: then ``unread`` says why.
    """

    path: str
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    author: str = ""
    organization: str = ""
    version: str = ""
    deprecated: bool = False
    sale: Sale | None = None
    unread: str = ""


class FlowFinder(Protocol):
    async def find(self, url: str) -> tuple[FoundFlow, ...]:
        """The flows of the app at this address. Raises FlowsUnreadable."""
        ...


class Panel(Protocol):
    async def register(self, serve_url: str, names: Sequence[str]) -> int:
        """Let the panel list the flows of exactly these applications on Ray Serve at this address.

        How many flows it lists then. Raises PanelError.
        """
        ...
