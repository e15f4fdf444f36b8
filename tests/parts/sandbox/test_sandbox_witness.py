"""The sandbox is a second witness: it shares no code with what it judges."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import masumi_sumi.sandbox

MODULES = sorted(Path(masumi_sumi.sandbox.__file__).parent.glob("*.py"))


def imported(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    nodes = ast.walk(ast.parse(path.read_text()))
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_it_imports_nothing_of_the_rest(path: Path) -> None:
    for name in imported(path):
        first, _, rest = name.partition(".")
        assert first not in {"ray", "kodosumi", "litestar"}
        assert first != "masumi_sumi" or rest.split(".")[0] == "sandbox"
