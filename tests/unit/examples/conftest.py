"""The example apps, imported where Kodosumi's folders may appear."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        from examples import form_elements, knowledge_graph, prime, two_stage, word_count
    finally:
        os.chdir(here)
    return SimpleNamespace(
        form_elements=form_elements,
        knowledge_graph=knowledge_graph,
        prime=prime,
        two_stage=two_stage,
        word_count=word_count,
    )
