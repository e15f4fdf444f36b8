"""Kodosumi's servers imported where their folders may appear, before a test is watched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _kodosumi(tmp_path_factory: pytest.TempPathFactory) -> None:
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        import kodosumi.serve  # noqa: F401 - its own imports try out sockets
    finally:
        os.chdir(here)
