"""A unit test stays inside its process: one that opens a socket or starts another one fails."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

OUTSIDE = {"socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn"}

_left: list[str] = []


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event in OUTSIDE:
        _left.append(event)


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def stays_inside() -> Iterator[None]:
    _left.clear()
    yield
    assert not _left, f"a unit test left its process ({_left[0]}): it belongs to tests/parts"


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
