"""Moments as the node reads and writes them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from masumi_sumi.sandbox.clock import SandboxClock, iso, moment


@pytest.fixture
def _tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_tokyo")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T20:00:23.357Z", 1795291223357),
        ("2026-11-21T20:00Z", 1795291200000),
        ("2026-11-24", 1795478400000),
        ("2026-11-22T05:00:23.357", 1795291223357),
        ("2026-11-21T20:00:23+00:00", None),
        ("2026-13-01", None),
        ("1795291223357", None),
        ("", None),
    ],
)
def test_a_moment_without_zone_is_the_machines_and_a_date_is_utc(
    text: str, expected: int | None
) -> None:
    assert moment(text) == expected


def test_moments_are_written_with_milliseconds_and_z() -> None:
    assert iso(1795291223357) == "2026-11-21T20:00:23.357Z"
    assert iso(1795478400000) == "2026-11-24T00:00:00.000Z"


def test_a_clock_goes_forward_only() -> None:
    clock = SandboxClock(lambda: 1000.0)
    clock.advance(2.5)

    assert clock.now() == 1_002_500
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
