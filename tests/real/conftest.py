"""One real stack for all real tests: Ray, spooler, panel, sandbox, supervisor, Serve."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from masumi_sumi.cli import record
from masumi_sumi.cli.environment import RAY
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import Settings

os.environ.update(RAY)  # a driver in this process reaches Ray at loopback, as the parts do

ROOT = Path(__file__).parents[2]
PREFIX = "sumi-test-"
PORTS = ("panel_port", "serve_port", "sandbox_port", "ray_port", "dashboard_port")


@pytest.fixture(scope="session")
def _interruptible() -> Iterator[None]:
    """TERM ends a test run like Ctrl-C, through the teardown of its fixtures."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def fresh_settings(_interruptible: None) -> Iterator[Callable[[], Settings]]:
    """Settings with a folder of their own and free ports. What a killed test run left is ended."""
    _clear_leftovers()
    folders: list[str] = []

    def make() -> Settings:
        folders.append(tempfile.mkdtemp(prefix=PREFIX))
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        return Settings(data_dir=Path(folders[-1]), nodes={}, **ports)

    yield make
    for folder in map(Path, folders):
        if record.read(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(fresh_settings: Callable[[], Settings]) -> Iterator[Stack]:
    with Stack(fresh_settings(), folder=ROOT, sandbox_options=("--block-seconds", "0.5")) as stack:
        yield stack


def _clear_leftovers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        left = record.read(folder)
        if left and not left.owner.alive:
            record.clear(folder, left)
            shutil.rmtree(folder, ignore_errors=True)
