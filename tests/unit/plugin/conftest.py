"""A sold app, and a record of what Kodosumi would have run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sold_app import Shop


@pytest.fixture
def runners(sold_app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What Kodosumi's own create_runner was called for; it makes nothing."""
    import kodosumi.runner.main as kodosumi_runner

    from masumi_sumi.runtime import capture

    made: list[dict[str, Any]] = []

    class Remote:
        def remote(self) -> None:
            made[-1]["run"] = True

    class Handle:
        run = Remote()

    def create_runner(
        username: Any,
        app_url: Any,
        entry_point: Any,
        inputs: Any,
        extra: Any = None,
        jwt: Any = None,
        panel_url: Any = None,
        fid: Any = None,
    ) -> tuple[str, Handle]:
        made.append({"inputs": inputs, "username": username})
        return "6b49d200plain", Handle()

    monkeypatch.setattr(kodosumi_runner, "create_runner", create_runner)
    capture.install()
    return made


@pytest.fixture
def shop(
    sold_app: ModuleType,
    runners: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Shop]:
    """``shop(flows, ...)``: a sold app."""
    monkeypatch.chdir(tmp_path)
    return lambda *args, **options: sold_app.Shop(tmp_path, *args, **options)


@pytest.fixture
def online(sold_app: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[[Shop], Shop]:
    """A sold app whose buyers' files come from the test's own internet."""
    import internet

    def put_online(made: Shop) -> Shop:
        stock = made.parts.agent

        def agent(*args: Any) -> Any:
            built = stock(*args)
            built._downloads = internet.downloads()
            return built

        monkeypatch.setattr(made.parts, "agent", agent)
        return made

    return put_online
