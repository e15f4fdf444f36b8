"""A unit test stays inside its process: one that opens a socket or starts another one fails."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

POSTGRES = os.environ.get("SUMI_TEST_POSTGRES_URL")

OUTSIDE = {"socket.connect", "socket.bind", "subprocess.Popen", "os.fork", "os.posix_spawn"}

_left: list[str] = []


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event in OUTSIDE:
        _left.append(event)


sys.addaudithook(_watch)


@pytest.fixture(scope="session")
def kodosumi(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Imported where its folders may appear, and before a test is watched."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        import kodosumi.serve  # noqa: F401 - its own imports try out sockets
    finally:
        os.chdir(here)


@pytest.fixture(autouse=True)
def stays_inside(kodosumi: None) -> Iterator[None]:
    _left.clear()
    yield
    if POSTGRES:  # a database that is asked for is outside
        return
    assert not _left, f"a unit test left its process ({_left[0]}): it belongs to tests/parts"


def pytest_collection_finish() -> None:
    """What is there by now stays until the end: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
