"""An application is told its secret when it is deployed, and nobody else is shown it."""

from __future__ import annotations

from typing import Any

import pytest
from boot_steps import all_of, an_expose
from ray_stand_in import PanelStandIn, RayStandIn

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import Boot, ExposeBook, OpenApiFinder, Serve
from masumi_sumi.gateway_proof import APP_SECRET, add_app_secret, derive_app_secret

FOREIGN = {"name": "other", "route_prefix": "/other", "import_path": "x:y", "args": {}}


@pytest.fixture
async def boot(
    book: ExposeBook, serve: Serve, ray: RayStandIn, panel: PanelStandIn, clock: ManualClock
) -> Any:
    finder = OpenApiFinder(transport=ray.transport)
    boot = Boot(book, serve, finder, panel, clock, pause=ray.pause, master_secret="master")
    yield boot
    await boot.aclose()
    await finder.aclose()


def secret_of(document: dict[str, Any]) -> str | None:
    found: str | None = document.get("runtime_env", {}).get("env_vars", {}).get(APP_SECRET)
    return found


async def test_each_application_is_told_its_own_secret_beside_its_own_environment(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    environment = "runtime_env: {env_vars: {A: b, SUMI_APP_SECRET: stale}, pip: [c]}"
    await an_expose(book, "a", bootstrap=f"import_path: m:x\n{environment}")
    await an_expose(book, "b", bootstrap="import_path: m:x")
    ray.add("other", FOREIGN)

    await all_of(boot.boot())

    secret = derive_app_secret("master", "/a")
    assert ray.document("a")["runtime_env"] == {
        "env_vars": {"A": "b", APP_SECRET: secret},
        "pip": ["c"],
    }
    assert secret_of(ray.document("b")) == derive_app_secret("master", "/b")
    assert ray.document("other") == FOREIGN  # it would be started anew


async def test_the_secret_is_neither_kept_nor_told(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    secret = derive_app_secret("master", "/a")
    ray.broken = {"a": f"runtime_env {{'env_vars': {{'SUMI_APP_SECRET': '{secret}'}}}} is broken"}
    await an_expose(book, "a", bootstrap="import_path: m:x")

    told = await all_of(boot.boot())

    assert secret_of(ray.document("a")) == secret
    assert "is broken" in str(told)
    kept = (await book.list(), await book.deployments(), told, await boot.status())
    assert secret not in repr(kept)
    assert secret not in str(await book.deployments())


async def test_the_same_application_is_told_the_same_again(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a", bootstrap="import_path: m:x")

    await all_of(boot.boot())
    await all_of(boot.boot())

    assert ray.document("a", -1) == ray.document("a", 0)


@pytest.mark.parametrize("given", [{"name": "x"}, {"name": "x", "runtime_env": None}])
def test_an_application_without_a_prefix_is_at_the_root(given: dict[str, Any]) -> None:
    assert secret_of(add_app_secret(given, "master")) == derive_app_secret("master", "/")


def test_an_application_that_no_request_reaches_is_told_nothing() -> None:
    given = {"name": "x", "route_prefix": None}
    assert add_app_secret(given, "master") == given
