"""Test that `up` stays up, and says in two lines why, when the panel does not list the flows."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from masumi_sumi.cli import parts, stack, steps
from masumi_sumi.cli.display import Display
from masumi_sumi.cli.failures import DeployFailed
from masumi_sumi.cli.panel import HEADER
from masumi_sumi.cli.parts import Part
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.stack import Progress, Stack
from masumi_sumi.settings import Settings

PAGE = (
    "<html>\n<title>Internal Server Error</title>\n<pre>Traceback (most recent call last):\n"
    + '  File "/srv/endpoint.py", line 112, in register\n' * 40
    + "httpx.HTTPStatusError: Server error '503 Service Unavailable'\n</pre>"
)
SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")

Answer = tuple[int, str] | None
"""None: nothing is answered until the server ends."""


@dataclass
class FakeServer:
    """Stands for the panel and for Ray's dashboard. Each path has its answers in turn; the last
    one is for all further requests."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def next_answer(self, path: str) -> Answer:
        self.asked.append(path)
        answers = self.answers.get(path, [(200, "{}")])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def count(self, path: str) -> int:
        return self.asked.count(path)


LOGIN, REGISTER, SERVE = "/api/login", "/flow/register", "/api/serve/applications/"

KEY = (200, json.dumps({HEADER: "key"}))
NONE_RUNS = (200, json.dumps({"applications": {}}))
RUNS = (200, json.dumps({"applications": {"one": {"status": "RUNNING"}}}))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer({LOGIN: [KEY], REGISTER: [(200, "[]")], SERVE: [RUNS]})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = fake.next_answer(self.path)
            if answer is None:
                fake.ended.wait()
                return
            body = answer[1].encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        fake.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield fake
        fake.ended.set()
        http.shutdown()
        thread.join()


class Started:
    """A stack whose panel and Ray are the fake server, and what people saw of it."""

    def __init__(self, server: FakeServer, folder: Path, apps: tuple[str, ...] = ()) -> None:
        self.output = io.StringIO()
        self.console = Console(file=self.output, width=200)
        self.progress: list[Progress] = []
        self.display = Display(self.console)
        names = ("panel_port", "serve_port", "ray_port", "sandbox_port")
        ports = dict(zip(names, free_ports(4), strict=True))
        dashboard = int(server.url.rpartition(":")[2])
        settings = Settings(data_dir=folder / "data", dashboard_port=dashboard, nodes={}, **ports)
        wanted = ("ray", "panel", "serve")
        self.stack = Stack(settings, apps, parts=wanted, report=self.report)

    def report(self, progress: Progress) -> None:
        self.progress.append(progress)
        self.display(progress)

    @property
    def text(self) -> str:
        return self.output.getvalue()

    @property
    def log(self) -> str:
        return (self.stack.settings.data_dir / "logs" / "masumi-sumi.log").read_text()


@pytest.fixture
def new_stack(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Started]]:
    made: list[Started] = []
    built = [Part("ray", SLEEP, server.url), Part("panel", SLEEP, server.url)]
    monkeypatch.setattr(parts, "build", lambda *args: built)
    monkeypatch.setattr(stack.ports, "refuse_taken", lambda *args: None)  # the fake has one
    monkeypatch.setattr(stack, "LIST_SECONDS", 1.5)
    monkeypatch.setattr(steps, "FIRST_PAUSE", 0.05)

    def make(*apps: str) -> Started:
        made.append(Started(server, tmp_path, apps))
        return made[-1]

    yield make
    for each in made:
        each.stack.stop()


def test_a_panel_that_is_busy_for_a_moment_is_asked_again(
    server: FakeServer, new_stack: Callable[..., Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "LIST_SECONDS", 60.0)
    server.answers[LOGIN] = [(503, ""), KEY]
    server.answers[REGISTER] = [(500, PAGE), (503, "busy"), (200, "no json"), (200, "[]")]
    server.answers[SERVE] = [RUNS, RUNS, (500, "garbage"), RUNS]

    started = new_stack()
    started.stack.start()

    assert "left out" not in started.text
    assert server.count(REGISTER) == 4


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (LOGIN, (503, PAGE)),
        (LOGIN, (200, "<html>")),
        (LOGIN, (200, "[]")),
        (LOGIN, (401, json.dumps({"detail": "wrong password"}))),
        (LOGIN, None),
        (REGISTER, (503, PAGE)),
        (REGISTER, (500, PAGE)),
        (REGISTER, (400, json.dumps({"detail": PAGE}))),
        (REGISTER, (200, '[{"no": "url"}]')),
        (REGISTER, (200, "7")),
        (REGISTER, None),
        (SERVE, (500, PAGE)),
        (SERVE, (200, '{"applications": 5}')),
    ],
)
def test_a_panel_that_lists_nothing_is_told_in_three_lines_and_the_stack_is_up(
    server: FakeServer, new_stack: Callable[..., Started], path: str, answer: Answer
) -> None:
    started = new_stack()
    server.answers[path] = [RUNS, RUNS, answer] if path == SERVE else [answer]

    started.stack.start()
    started.stack.check()

    lines = started.text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("left out: "))
    told = [line for line in lines[at:] if not line.startswith("ready")]
    assert len(told) == 3, told
    assert "Traceback" not in started.text
    assert 'File "' not in started.text
    if answer and PAGE in answer[1]:
        assert "masumi-sumi.log)" in told[1]
        assert "HTTPStatusError" in started.log


def test_a_refused_login_is_not_tried_again(
    server: FakeServer, new_stack: Callable[..., Started]
) -> None:
    server.answers[LOGIN] = [(401, json.dumps({"detail": "wrong password"}))]

    started = new_stack()
    started.stack.start()

    assert server.count(LOGIN) == 1
    assert "401: wrong password" in started.text


def test_a_dashboard_that_is_busy_for_a_moment_ends_nothing(
    server: FakeServer, new_stack: Callable[..., Started]
) -> None:
    server.answers[SERVE] = [(503, "starting"), (200, "<html>"), NONE_RUNS, (500, PAGE), RUNS]

    new_stack().stack.start()


def test_an_app_that_cannot_be_deployed_is_told_in_its_own_words_and_ends_the_stack(
    server: FakeServer, new_stack: Callable[..., Started]
) -> None:
    trace = f"Deploying app 'one' failed with exception:\n{PAGE}"
    failed = {"applications": {"one": {"status": "DEPLOY_FAILED", "message": trace}}}
    server.answers[SERVE] = [NONE_RUNS, NONE_RUNS, NONE_RUNS, NONE_RUNS, (200, json.dumps(failed))]
    started = new_stack("some.one:app")

    with pytest.raises(DeployFailed) as caught:
        started.stack.start()

    assert str(caught.value) == (
        "Ray Serve could not deploy one: httpx.HTTPStatusError: "
        "Server error '503 Service Unavailable'"
    )
    assert caught.value.details == trace
