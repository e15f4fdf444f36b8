"""Things that go wrong on purpose, and the count of what was asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal["fail", "lose", "delay"]
FOR_EVER = None


@dataclass
class Fault:
    """``method`` and ``path`` are patterns (``*``); the path is without the base path.

    fail: answer ``status`` and do nothing. lose: act, then cut the connection without a word.
    delay: wait ``seconds`` before acting. ``times`` None never runs out.
    """

    kind: Kind
    method: str = "*"
    path: str = "*"
    status: int = 500
    message: str = "Internal Server Error"
    seconds: float = 0.0
    times: int | None = 1

    def hits(self, method: str, path: str) -> bool:
        return fnmatchcase(method, self.method.upper()) and fnmatchcase(path, self.path)


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._requests: Counter[str] = Counter()
        self.is_down = False
        self.seconds_each = 0.0
        """How long each request takes, one after the other; 0 lets them all act at once."""

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """No faults any more, and the node is up."""
        with self._lock:
            self._faults.clear()
            self.is_down = False
            self.seconds_each = 0.0

    def forget_requests(self) -> None:
        with self._lock:
            self._requests.clear()

    def requests(self) -> Mapping[str, int]:
        """Requests by ``METHOD /path``, also those that were refused, failed or lost."""
        with self._lock:
            return dict(sorted(self._requests.items()))

    def pending(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def strike(self, method: str, path: str) -> dict[Kind, Fault]:
        """Count the request, and use up one of each kind of fault that it runs into."""
        with self._lock:
            self._requests[f"{method} {path}"] += 1
            struck: dict[Kind, Fault] = {}
            for fault in self._faults:
                if fault.kind not in struck and fault.hits(method, path):
                    struck[fault.kind] = fault
                    if fault.times is not None:
                        fault.times -= 1
            self._faults = [fault for fault in self._faults if fault.times != 0]
            return struck
