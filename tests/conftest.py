"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url

# A busy machine is slow, not wrong: the time limit is the test run's own (see pyproject).
# Every run looks at the same examples; HYPOTHESIS_PROFILE=thorough looks for others, longer.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("patient", patient, max_examples=50, derandomize=True)
settings.register_profile("thorough", patient, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))

POSTGRES = os.environ.get("SUMI_TEST_POSTGRES_URL", "")
"""A server on which databases may be made."""


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRES else ["sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """Of a database that is not there yet: a SQLite file, and a PostgreSQL one where there is a
    server.
    """
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'test.db'}"
        return
    import asyncpg

    server = make_url(POSTGRES).set(drivername="postgresql")
    name = f"sumi_{uuid4().hex}"
    admin = await asyncpg.connect(server.render_as_string(hide_password=False))
    await admin.execute(f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture(scope="session")
def sold_app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The module of an app that is for sale; Kodosumi is imported where its folders may appear."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("kodosumi"))
    try:
        import sold_app
    finally:
        os.chdir(here)
    return sold_app
