"""Panels of both kinds."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from kodosumi.service.inputs import forms as F

from masumi_sumi import forms


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose panel knows our elements; afterwards it does not."""
    monkeypatch.setattr(F.Model, "model_validate", F.Model.__dict__["model_validate"])
    monkeypatch.setattr(F.Model, "render", F.Model.render)
    forms.install()


@pytest.fixture(scope="session")
def released() -> ModuleType:
    """Kodosumi's module of forms as released, whatever was installed in this process."""
    spec = importlib.util.spec_from_file_location("kodosumi_forms_as_released", F.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
