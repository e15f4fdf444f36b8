"""A signing key that is lost while the stack runs stops no payment."""

from __future__ import annotations

from pathlib import Path

import pytest

from masumi_sumi.compose import _find_agent_key
from masumi_sumi.settings import Settings


def settings_of(key: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, nodes={}, agent_key=key)


def test_a_key_that_cannot_be_read_any_more_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = settings_of(str(tmp_path / "gone.key"), tmp_path)

    assert _find_agent_key(lost) is None
    assert "answers are not signed any more" in caplog.text


def test_a_key_that_is_there_is_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _find_agent_key(settings_of("ab" * 32, tmp_path)) is not None
    assert _find_agent_key(settings_of("", tmp_path)) is None
    assert caplog.text == ""
