"""An operator puts the four examples to work with the command, a person uses them in a browser."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml
from browser import Browser, chromium
from shop import Hired, Node, until

from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import Settings

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).parent / "masumi-sumi"
EXAMPLE = ROOT / "examples" / "exposes.yaml"
NAMES = ["jkx", "form-example", "prime", "sumi-test"]
FLOWS = [
    "Complete Registration Form",
    "Date/Time Input Types Demo",
    "Masumi Two-Stage Service",
    "Numeric Input Types Demo",
    "Prime Gap Distribution",
    "Prime Gap Distribution (async)",
    "Selection Input Types Demo",
    "Special Input Types Demo",
    "Text Input Types Demo",
    "jKx Knowledge Graph",
]


@pytest.fixture(scope="module")
def own_stack(fresh_settings: Callable[[], Settings]) -> Iterator[Stack]:
    """The operator prunes, and shuts Ray Serve down: not under the other tests."""
    with Stack(fresh_settings(), folder=ROOT, sandbox_options=("--block-seconds", "0.5")) as stack:
        yield stack


@dataclass(frozen=True)
class Said:
    """What a command printed; ``times`` is when each line came."""

    lines: list[str]
    times: list[float]
    code: int


class Operator:
    """The installed command, with the panel's address and data folder in its environment."""

    def __init__(self, stack: Stack) -> None:
        own = {"SUMI_PANEL": stack.urls["panel"], "SUMI_DATA_DIR": str(stack.settings.data_dir)}
        self._environ = {**os.environ, **own, "COLUMNS": "200"}

    def tries(self, *words: str) -> Said:
        lines, times = [], []
        with subprocess.Popen(
            [COMMAND, *words],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout
            for line in running.stdout:
                lines.append(line.rstrip())
                times.append(time.monotonic())
        return Said(lines, times, running.returncode)

    def says(self, *words: str) -> list[str]:
        said = self.tries(*words)
        assert said.code == 0, said.lines
        return said.lines

    def applies(self, file: Path, *options: str) -> list[str]:
        """Without the advice at the end, which stands where something was changed."""
        lines = self.says("expose", "apply", "-f", str(file), *options)
        return [line for line in lines if "`masumi-sumi boot`" not in line]

    def states(self) -> dict[str, list[str]]:
        """State and flows of each expose."""
        rows = [line.split() for line in self.says("expose", "list")[1:]]
        return {row[0]: row[1:3] for row in rows}


@pytest.fixture(scope="module")
def operator(own_stack: Stack) -> Operator:
    return Operator(own_stack)


@pytest.fixture(scope="module")
def applied(operator: Operator) -> list[str]:
    return operator.applies(EXAMPLE)


@pytest.fixture(scope="module")
def booted(operator: Operator, applied: list[str]) -> Said:
    return operator.tries("boot")


@pytest.fixture(scope="module")
def browser(
    own_stack: Stack, booted: Said, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """Logged in."""
    with chromium(own_stack.urls["panel"], tmp_path_factory.mktemp("browser")) as browser:
        name, password = own_stack.panel_login
        browser.open("/")
        browser.shoot("login")
        browser.fill({"name": name, "password": password})
        browser.send()
        yield browser


# --- the operator ---------------------------------------------------------------------------------


def test_the_examples_are_created_once(operator: Operator, applied: list[str]) -> None:
    assert applied == [f"created: {name}" for name in NAMES]
    assert operator.applies(EXAMPLE) == [f"unchanged: {name}" for name in NAMES]


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    operator: Operator, applied: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("name: prime\ndisplay: Gaps\n")

    told = operator.applies(file, "--dry-run", "--prune")

    assert told == [
        "changed: prime (display) (dry run)",
        "deleted: form-example (dry run)",
        "deleted: jkx (dry run)",
        "deleted: sumi-test (dry run)",
    ]
    assert operator.applies(EXAMPLE) == [f"unchanged: {name}" for name in NAMES]


def test_a_boot_tells_each_thing_as_it_happens(operator: Operator, booted: Said) -> None:
    assert booted.code == 0, booted.lines
    assert "✓ All deployments complete (4 running, 0 failed)" in booted.lines
    assert booted.lines[-1].startswith("✔ Boot completed")
    assert booted.times[-1] - booted.times[0] > 1.0
    assert operator.states() == {
        "form-example": ["RUNNING", "6/6"],
        "jkx": ["RUNNING", "1/1"],
        "prime": ["RUNNING", "2/2"],
        "sumi-test": ["RUNNING", "1/1"],
    }


def test_an_expose_is_shown(operator: Operator, booted: Said) -> None:
    lines = operator.says("expose", "show", "sumi-test")

    assert lines[0].startswith("# RUNNING, flows 1/1, updated ")
    (shown,) = yaml.safe_load("\n".join(lines))["exposes"]
    assert (shown["name"], shown["network"], list(shown["flows"])) == (
        "sumi-test",
        "Preprod",
        ["/"],
    )


def test_what_is_exported_can_be_applied_and_changes_nothing(
    operator: Operator, booted: Said, tmp_path: Path
) -> None:
    file = tmp_path / "exported.yaml"
    file.write_text("\n".join(operator.says("expose", "export")))

    assert operator.applies(file, "--prune") == [f"unchanged: {name}" for name in sorted(NAMES)]


# --- the person at the panel ----------------------------------------------------------------------

TYPED = {
    "username": "Ada",
    "password": "short",
    "email": "wrong",
    "website": "https://example.com",
    "phone": "+1 555 010-0199",
    "search": "words",
    "bio": "Two\nlines",
}


def test_who_logs_in_sees_all_flows(browser: Browser) -> None:
    browser.open("/admin/flow")
    browser.wait("body", "(10 items)")
    browser.shoot("flows")

    assert browser.texts("#flow-container h6") == FLOWS


def test_a_form_shows_our_fields_checks_keeps_what_was_typed_and_starts_a_job(
    browser: Browser,
) -> None:
    browser.open("/admin/flow")
    browser.wait("#flow-container", "Text Input Types Demo")
    browser.follow("#flow-container a[href$=text-inputs]")
    browser.shoot("form")
    kinds = {"password", "email", "url", "search", "tel"}
    assert kinds < set(browser.fields("type").values())
    assert list(browser.fields("type")) == list(TYPED)

    browser.fill(TYPED)
    browser.click("form button")
    assert browser.refused() == ["password", "email"]
    browser.send(unchecked=True)
    browser.shoot("form-refused")
    assert browser.beside("password") == "Password must have at least 8 characters"
    assert browser.fields("value") == TYPED
    assert browser.beside("email") == ""

    browser.fill({"password": "long enough", "email": "ada@example.com"})
    browser.send()
    assert browser.path.startswith("/admin/status/view/")
    browser.wait("#status-grid .status", "finished")
    browser.shoot("form-finished")
    filled = f"Filled in: {', '.join(TYPED)}."
    assert filled in browser.wait("#page-output", "{'ok': True}")


def test_an_error_of_radio_buttons_looks_like_the_others(browser: Browser) -> None:
    browser.open("/admin/flow")
    browser.wait("#flow-container", "Selection Input Types Demo")
    browser.follow("#flow-container a[href$=selection-inputs]")

    browser.send(unchecked=True)

    browser.shoot("radio")
    assert browser.texts(".error") == ["Size is required"]
    assert browser.style(".error", "backgroundColor") == "rgba(0, 0, 0, 0)"


@dataclass(frozen=True)
class Sale:
    """A job that a stranger hired at /sumi, and what its buyer needs to pay for it."""

    job: Hired
    node: Node

    @property
    def page(self) -> str:
        return f"/admin/status/view/{self.job.id}"


@pytest.fixture(scope="module")
def sale(own_stack: Stack, browser: Browser) -> Sale:
    identifier, day = secrets.token_hex(13), datetime.now(UTC).date() + timedelta(days=7)
    data = {"name": "Ada", "date": day.isoformat()}
    body = {"identifier_from_purchaser": identifier, "input_data": data}
    with httpx.Client(base_url=own_stack.urls["panel"], timeout=60.0, trust_env=False) as buyer:
        started = buyer.post("/sumi/sumi-test/start_job", json=body).json()
    browser.open(f"/admin/status/view/{started['job_id']}")
    terms = _payment(browser.events("initialized"))
    more = {"job_id": started["job_id"], "input_hash": terms["inputHash"]}
    return Sale(Hired("/", identifier, data, terms | more), Node(own_stack.urls["sandbox"]))


def _payment(events: str) -> dict[str, str]:
    """The facts of the payment event that the page shows."""
    line = next(line for line in events.splitlines() if '"initialized"' in line)
    found: dict[str, str] = json.loads(line.split(":", 2)[2])["dict"]
    return found


def test_a_paid_job_shows_that_it_waits_for_its_payment(browser: Browser, sale: Sale) -> None:
    browser.open(sale.page)
    browser.wait("#status-grid .status", "payment")
    browser.shoot("waiting")
    events = browser.events("event: payment")
    browser.shoot("waiting-events")

    assert browser.text("h3 .summary") == "Masumi Two-Stage Service"
    assert "event: error" not in events
    assert "not found" not in browser.text("body")


def test_once_paid_it_asks_is_answered_in_the_panels_form_and_finishes(
    browser: Browser, sale: Sale
) -> None:
    browser.open(sale.page)
    browser.wait("#status-grid .status", "payment")

    sale.node.buy(sale.job)

    browser.wait("#awaiting", "awaiting input")
    browser.shoot("asking")
    browser.follow("#awaiting a")
    browser.shoot("question")
    browser.send(unchecked=True)
    assert browser.beside("greeting") == "Please say something"
    browser.fill({"greeting": "Hello from a browser"})
    browser.send()
    assert browser.path == sale.page
    browser.wait("#status-grid .status", "finished")
    browser.wait("#final", "You say Hello from a browser, I say goodbye.")
    browser.shoot("finished")
    steps = browser.events("final_result")
    assert (
        steps.index('"initialized"') < steps.index('"funds_locked"') < steps.index("final_result")
    )
    assert "event: error" not in steps


# --- the operator again ---------------------------------------------------------------------------


def test_a_refresh_brings_one_expose_anew(operator: Operator, booted: Said) -> None:
    told = operator.tries("refresh", "sumi-test")

    assert told.code == 0, told.lines
    assert "Refreshing expose 'sumi-test'" in told.lines[0]
    assert told.lines[-1].startswith("✔ Refresh of 'sumi-test' completed")
    assert operator.states()["sumi-test"] == ["RUNNING", "1/1"]
    assert operator.tries("refresh", "nowhere").code == 1


def test_what_is_not_in_the_file_is_pruned(
    operator: Operator, own_stack: Stack, booted: Said, tmp_path: Path
) -> None:
    kept = [
        each for each in yaml.safe_load(EXAMPLE.read_text())["exposes"] if each["name"] != "jkx"
    ]
    file = tmp_path / "three.yaml"
    file.write_text(yaml.safe_dump({"exposes": kept}))

    told = operator.applies(file, "--prune")
    operator.says("boot")

    unchanged = [f"unchanged: {name}" for name in NAMES if name != "jkx"]
    assert told == [*unchanged, "deleted: jkx"]
    assert set(operator.states()) == set(NAMES) - {"jkx"}
    url = f"{own_stack.urls['ray']}/api/serve/applications/"
    client = httpx.Client(headers=own_stack.get_ray_headers(), trust_env=False)
    until(
        lambda: set(client.get(url).json()["applications"]) == {*NAMES} - {"jkx"},
        "jkx off Ray Serve",
    )
    assert operator.tries("expose", "show", "jkx").code == 1


def test_after_a_shutdown_nothing_runs(operator: Operator, booted: Said) -> None:
    assert operator.says("shutdown")[-1] == "✔ Shutdown complete"
    assert {state for state, _ in operator.states().values()} == {"DEAD"}
