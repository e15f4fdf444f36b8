"""One real stack for all real tests: Ray, spooler, panel, sandbox, supervisor, Serve."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from browser import pytest_runtest_makereport  # noqa: F401 - a hook: pytest finds it here
from buyer_words import WARES
from desk import Desk
from encounter import Encounter
from orders import AGENT, APPS
from pydantic import SecretStr
from shelf import Shelf, open_shelf
from shop import EXPOSE, FAIR, Cluster, Node, Panel, Shop

from masumi_sumi.cli import record
from masumi_sumi.cli.environment import RAY
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import NodeSettings, Settings

os.environ.update(RAY)  # a driver in this process reaches Ray at loopback, as the parts do

ROOT = Path(__file__).parents[2]
PREFIX = "sumi-test-"
SANDBOX = ("--block-seconds", "0.5")
PORTS = ("panel_port", "serve_port", "sandbox_port", "ray_port", "dashboard_port")


@pytest.fixture(scope="session")
def _interruptible() -> Iterator[None]:
    """TERM ends a test run like Ctrl-C, through the teardown of its fixtures."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def fresh_settings(_interruptible: None) -> Iterator[Callable[[], Settings]]:
    """Settings with a folder of their own and free ports. What a killed test run left is ended."""
    _clear_leftovers()
    folders: list[str] = []

    def make() -> Settings:
        folders.append(tempfile.mkdtemp(prefix=PREFIX))
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        return Settings(data_dir=Path(folders[-1]), nodes={}, **ports)

    yield make
    for folder in map(Path, folders):
        if record.read(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)


PLACES = 32
"""Logical CPUs of Ray: a place for each replica of all the tests' apps together."""

StartStack = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def start_stack(fresh_settings: Callable[[], Settings]) -> StartStack:
    """Stacks that leave neither a process nor a folder of Ray's when they end."""

    @contextmanager
    def start(
        *,
        places: dict[str, int] | None = None,
        file_hosts: str = "",
        signing: bool = False,
        nodes: dict[str, NodeSettings] | None = None,
        **options: Any,
    ) -> Iterator[Stack]:
        own: dict[str, Any] = {"file_hosts": file_hosts, "ray_cpus": PLACES}
        own |= {"max_runners": 8, **(places or {})}
        settings = fresh_settings().model_copy(update=own | {"nodes": nodes or {}})
        if signing:
            settings = settings.model_copy(update={"agent_key": _new_key(settings.data_dir)})
        with Stack(settings, folder=ROOT, sandbox_options=SANDBOX, **options) as stack:
            running = record.read(settings.data_dir)
            yield stack
        assert running
        assert not running.ray_dir.exists()
        assert not _left_of(settings)

    return start


@pytest.fixture(scope="session")
def shelf() -> Iterator[Shelf]:
    with open_shelf() as shelf:
        yield shelf


@pytest.fixture(scope="session")
def stack(start_stack: StartStack, shelf: Shelf) -> Iterator[Stack]:
    """It signs the answers that it takes; a stack of a test's own does not."""
    with start_stack(file_hosts=shelf.host, signing=True) as stack:
        yield stack


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Shop:
    """The test agents, sold by their author's own decorators."""
    stack.deploy(["tests.real.agents:fast_app"])
    return Shop(stack)


@pytest.fixture(scope="session")
def node(shop: Shop) -> Node:
    return shop.node


@pytest.fixture(scope="session")
def cluster(shop: Shop) -> Cluster:
    return shop.cluster


@pytest.fixture(scope="session")
def panel(shop: Shop) -> Panel:
    return Panel(shop.stack)


@pytest.fixture(scope="session")
def new_desk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """A desk of its own for each job."""
    root, count = tmp_path_factory.mktemp("desks"), itertools.count()

    def make() -> Desk:
        folder = root / str(next(count))
        folder.mkdir()
        return Desk(folder)

    return make


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    return new_desk()


@pytest.fixture(scope="session")
def encounters(stack: Stack, fair: str, new_desk: Callable[[], Desk]) -> Callable[[str], Encounter]:
    """Hires of the flows in WARES, side by side; each is examined by many tests."""
    stack.deploy(["tests.real.wares:fast_app"])
    shop = Shop(stack, "wares")
    gateway = f"{fair}/mip003/{FAIR}"
    made = {
        name: Encounter(
            gateway if ware.gateway else shop.url, ware, shop.node, (new_desk(), new_desk())
        )
        for name, ware in WARES.items()
    }
    for each in made.values():
        each.introduce()
    with ThreadPoolExecutor(len(made)) as pool:
        hired = {name: pool.submit(each.hire) for name, each in made.items()}

    def encounter(name: str) -> Encounter:
        hired[name].result()
        return made[name]

    return encounter


@pytest.fixture(params=WARES)
def met(request: pytest.FixtureRequest, encounters: Callable[[str], Encounter]) -> Encounter:
    """A flow that was hired, of each kind."""
    return encounters(request.param)


@pytest.fixture(params=[name for name, ware in WARES.items() if ware.priced])
def paid(request: pytest.FixtureRequest, encounters: Callable[[str], Encounter]) -> Encounter:
    return encounters(request.param)


@pytest.fixture(scope="session")
def bazaar(shop: Shop, panel: Panel) -> str:
    """The test agents once more, as an expose; the app that was there before stays."""
    bootstrap = "import_path: tests.real.agents:fast_app"
    return panel.boot({"name": EXPOSE, "bootstrap": bootstrap, "network": "Preprod"})


@pytest.fixture(scope="session")
def fair(stack: Stack) -> str:
    """The wares as an expose that nobody said a network for. The gateway's address."""
    return Panel(stack).boot({"name": FAIR, "bootstrap": "import_path: tests.real.wares:fast_app"})


@pytest.fixture(scope="session")
def two_stage(stack: Stack) -> str:
    """The address of the example that its author sells."""
    stack.deploy(["examples.two_stage:fast_app"])
    return f"{stack.urls['serve']}/two-stage"


@pytest.fixture(scope="session")
def apps(stack: Stack, two_stage: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the examples are for sale: unmodified, on an operator's terms."""
    sold = {"*": {"agent_identifier": AGENT, "network": "Preprod"}}
    applications = [
        {
            "name": f"sold-{name.replace('_', '-')}",
            "route_prefix": f"/sold-{name.replace('_', '-')}",
            "import_path": "masumi_sumi.plugin:application",
            "args": {"target": f"examples.{name}:fast_app", "flows": sold},
        }
        for name in APPS
    ]
    file = tmp_path_factory.mktemp("serve") / "serve_config.yaml"
    file.write_text(yaml.safe_dump({"applications": applications}))
    stack.deploy([str(file)])
    return two_stage.removesuffix("/two-stage")


@pytest.fixture(scope="session")
def deploy_file(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[dict[str, Any]], None]:
    """Deploy one application as an operator does, with a file of Ray Serve's form."""

    def deploy(application: dict[str, Any]) -> None:
        file = tmp_path_factory.mktemp("serve") / "serve_config.yaml"
        file.write_text(yaml.safe_dump({"applications": [application]}))
        stack.deploy([str(file)])

    return deploy


def _new_key(folder: Path) -> SecretStr:
    """Where SUMI_AGENT_KEY is found."""
    file = folder / "agent.key"
    file.touch(mode=0o600)
    file.write_text(secrets.token_hex(32))
    return SecretStr(str(file))


def _left_of(settings: Settings) -> list[psutil.Process]:
    """Processes that were started with these settings."""
    mark = str(settings.data_dir)
    return [each for each in psutil.process_iter() if mark in _surroundings(each)]


def _surroundings(process: psutil.Process) -> str:
    try:
        return "" if process.pid == os.getpid() else str(process.environ())
    except psutil.Error:
        return ""


def _clear_leftovers() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        left = record.read(folder)
        if left and not left.owner.alive:
            record.clear(folder, left)
            shutil.rmtree(folder, ignore_errors=True)
