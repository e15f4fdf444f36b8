"""Every test that SECURITY.md names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = {"R": "tests/real/security", "U": "tests/unit", "P": "tests/parts"}

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.count("|") == 4 and "---" not in line]
NAMED = re.findall(r"\b([RUP]) `([\w/]+\.py)(?:::(\w+))?`", TEXT)


@pytest.mark.parametrize(("folder", "path", "test"), sorted(set(NAMED)))
def test_a_test_that_is_named_exists(folder: str, path: str, test: str) -> None:
    file = ROOT / FOLDERS[folder] / path
    assert file.is_file()
    assert f"def {test or 'test_'}" in file.read_text(encoding="utf-8")


def test_each_threat_names_a_test() -> None:
    threats = [row for row in ROWS if not row.startswith("| threat")]
    assert len(threats) > 30
    assert [row for row in threats if not re.search(r"\b[RUP] `[\w/]+\.py", row)] == []
