"""The commands, against the gateway's own routes over HTTP; only Ray and the panel stand in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from ray_stand_in import PanelStandIn, RayStandIn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from masumi_sumi.cli.commands import app
from masumi_sumi.cli.operator import BootFailed
from masumi_sumi.cli.panel import PanelRefused
from masumi_sumi.clock import ManualClock, SystemClock
from masumi_sumi.exposes import Boot, ExposeBook, OpenApiFinder, Serve
from masumi_sumi.gateway.access import Access, Caller
from masumi_sumi.gateway.exposes import ExposeRoutes
from masumi_sumi.settings import Settings

EXAMPLE = str(Path(__file__).parents[3] / "examples" / "exposes.yaml")
KEY = "KODOSUMI_API_KEY"

Run = Callable[..., Result]


@pytest.fixture
def ray() -> RayStandIn:
    return RayStandIn(ManualClock())


@pytest.fixture
def gateway(ray: RayStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    config = tmp_path / "serve_config.yaml"
    config.write_text("http_options: {host: 127.0.0.1, port: 8005}\nproxy_location: HeadOnly\n")
    settings = Settings(data_dir=tmp_path, serve_config=config, nodes={})
    with _served(_app(ray, settings, f"sqlite:///{tmp_path / 'exposes.db'}")) as url:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SUMI_PANEL", url)
        monkeypatch.delenv(KEY, raising=False)
        monkeypatch.setenv("KODO_ADMIN_PASSWORD", "secret")
        yield url


@pytest.fixture
def run(gateway: str) -> Run:
    """A command that must succeed; ``fails`` is the error that it must end with instead."""

    def run(*words: str, fails: type[Exception] | None = None) -> Result:
        result = CliRunner().invoke(app, words)
        assert type(result.exception) is (fails or type(None)), result.output
        return result

    return run


def test_apply_says_created_then_unchanged_then_changed(run: Run, tmp_path: Path) -> None:
    assert run("expose", "apply", "-f", EXAMPLE).output.splitlines() == [
        "created: jkx",
        "created: form-example",
        "created: prime",
        "created: sumi-test",
        "`masumi-sumi boot`, or `refresh NAME`, puts it to work",
    ]
    changed = tmp_path / "mine.yaml"
    changed.write_text(Path(EXAMPLE).read_text().replace("jKx Demo", "Mine"))

    dry = run("expose", "apply", "-f", str(changed), "--dry-run").output.splitlines()
    assert dry[:2] == ["changed: jkx (display) (dry run)", "unchanged: form-example"]
    assert "# DEAD, flows 0/0" in run("expose", "show", "jkx").output
    assert "jKx Demo" in run("expose", "show", "jkx").output
    run("expose", "apply", "-f", str(changed))
    assert "display: Mine" in run("expose", "show", "jkx").output


def test_what_is_exported_prunes_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    run("expose", "apply", "-f", EXAMPLE)
    exported = tmp_path / "exported.yaml"
    exported.write_text(run("expose", "export").output)
    run("expose", "delete", "jkx")
    one = tmp_path / "one.yaml"
    one.write_text("name: extra\n")
    run("expose", "apply", "-f", str(one))

    told = run("expose", "apply", "-f", str(exported), "--prune").output.splitlines()

    assert "created: jkx" in told
    assert "unchanged: prime" in told
    assert "deleted: extra" in told


def test_a_boot_is_followed_and_list_shows_what_came_of_it(run: Run, ray: RayStandIn) -> None:
    ray.flows = {"prime": {"/": "Prime", "/async": "Async"}}
    run("expose", "apply", "-f", EXAMPLE)

    told = run("boot").output.splitlines()

    assert told[1] == "▶ [DEPLOY] Starting Ray Serve deployment"
    assert told[-1].startswith("✔ Boot completed")
    listed = run("expose", "list").output.splitlines()
    assert listed[0].split() == ["NAME", "STATE", "FLOWS", "NETWORK", "NOTE"]
    assert listed[3].split() == ["prime", "RUNNING", "2/2", "-"]
    assert run("refresh", "prime").output.splitlines()[-1].startswith("✔ Refresh of 'prime'")
    assert run("shutdown").output.splitlines()[-1] == "✔ Shutdown complete"


def test_a_boot_with_a_failed_app_is_a_failure_that_names_it(run: Run, ray: RayStandIn) -> None:
    ray.broken = {"jkx": "ModuleNotFoundError"}
    run("expose", "apply", "-f", EXAMPLE)

    failed = run("boot", fails=BootFailed)

    assert "⚠ [jkx] ModuleNotFoundError" in failed.output
    assert str(failed.exception) == "boot: not up: jkx"
    assert "ModuleNotFoundError" in run("expose", "list").output
    assert "# ModuleNotFoundError" in run("expose", "show", "jkx").output


def test_a_dashboard_that_is_gone_is_a_failure(run: Run, ray: RayStandIn) -> None:
    ray.down = 1000
    run("expose", "apply", "-f", EXAMPLE)

    assert "gave no answer" in str(run("boot", fails=BootFailed).exception)


def test_what_the_panel_refuses_is_told_in_its_words(run: Run) -> None:
    told = str(run("refresh", "nobody", fails=PanelRefused).exception)

    assert "404: Expose 'nobody' not found" in told
    assert "404" in str(run("expose", "delete", "nobody", fails=PanelRefused).exception)


def test_a_wrong_password_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KODO_ADMIN_PASSWORD", "wrong")

    assert "the login" in str(run("expose", "list", fails=PanelRefused).exception)


def test_an_api_key_needs_no_login(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KODO_ADMIN_PASSWORD", "wrong")
    monkeypatch.setenv(KEY, "key")

    run("expose", "list")


def test_a_panel_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["expose", "list", "--panel", "http://127.0.0.1:9"])

    assert isinstance(result.exception, PanelRefused)


async def _log_in(request: Request) -> Response:
    said = await request.json()
    if said != {"name": "admin", "password": "secret"}:
        return JSONResponse({"detail": "no such role"}, status_code=401)
    return JSONResponse({KEY: "key"})


async def _caller(request: Request) -> Caller | None:
    return Caller("1", "admin", True) if request.headers.get(KEY) == "key" else None


def _app(ray: RayStandIn, settings: Settings, database: str) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        serve = Serve("http://dashboard:8265", settings, transport=ray.transport)
        finder = OpenApiFinder(transport=ray.transport)
        async with await ExposeBook.open(database, SystemClock()) as book:
            boot = Boot(book, serve, finder, PanelStandIn(), ray.clock, pause=ray.pause)
            app.router.routes += ExposeRoutes(book, boot, Access(_caller)).routes()
            yield
            await boot.aclose()
        await serve.aclose()
        await finder.aclose()

    return Starlette(routes=[Route("/api/login", _log_in, methods=["POST"])], lifespan=lifespan)


class _served:
    def __init__(self, app: Starlette) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *raised: object) -> None:
        self._server.should_exit = True
        self._thread.join()
