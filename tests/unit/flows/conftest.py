"""Kodosumi's real elements, imported where its folders may appear."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from masumi_sumi.flows import Form, read_form


@pytest.fixture(scope="session")
def kodosumi_forms(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        from kodosumi.service.inputs import forms
    finally:
        os.chdir(here)
    return forms


@pytest.fixture(scope="session")
def model(kodosumi_forms: ModuleType) -> Callable[..., Form]:
    """A Form of real elements: ``model(lambda F: [F.InputText("a"), ...])``."""

    def build(elements: Callable[[Any], list[Any]]) -> Form:
        return read_form(kodosumi_forms.Model(*elements(kodosumi_forms)).get_model())

    return build
