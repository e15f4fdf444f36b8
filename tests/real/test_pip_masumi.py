"""The pip package ``masumi`` buys from us: its own Purchase class, models, checks and hashes.

The package lives in an environment of its own: it patches every interpreter that it is installed
for, which costs each of Ray's processes half a second.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from orders import ORDERS

from masumi_sumi.cli.stack import Stack
from masumi_sumi.settings import SANDBOX_TOKEN

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
GREETING = 'hello "Ada" \\o/'


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has what the project's group of that name says, in pinned versions."""
    folder = tmp_path_factory.mktemp("masumi") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    python = folder / "bin" / "python"
    wanted = ["--group", f"{ROOT / 'pyproject.toml'}:masumi", "--constraint", str(CONSTRAINTS)]
    run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted])
    return python


def run(command: list[str], said: str = "", **options: Any) -> str:
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, timeout=150, check=False, **options
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def everything(
    stack: Stack, apps: str, python: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """All examples, bought side by side."""
    orders = {
        flow: {
            "agent": f"{apps}/{flow}",
            "node": stack.urls["sandbox"],
            "token": SANDBOX_TOKEN,
            "identifier": secrets.token_hex(13),
            "input": data,
            "answer": {"greeting": GREETING},
        }
        for flow, data in ORDERS.items()
    }
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    script = str(Path(__file__).with_name("pip_masumi.py"))
    there = tmp_path_factory.mktemp("buyer")
    said = run([str(python), script], json.dumps(orders), env=clean, cwd=there)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


@pytest.fixture(params=ORDERS)
def seen(request: pytest.FixtureRequest, everything: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = everything[request.param]
    assert "trouble" not in found, found["trouble"]
    return found


@pytest.fixture
def asked(everything: dict[str, Any]) -> dict[str, Any]:
    """What was seen of the flow that asks its buyer."""
    found: dict[str, Any] = everything["two-stage"]
    assert "trouble" not in found, found["trouble"]
    return found


def test_it_is_the_version_that_is_pinned(python: Path) -> None:
    version = "import importlib.metadata as m; print('masumi==' + m.version('masumi'))"
    assert run([str(python), "-c", version]).strip() in CONSTRAINTS.read_text().splitlines()


def test_its_import_hook_slows_no_interpreter_of_ours() -> None:
    assert importlib.util.find_spec("pip_system_certs") is None


def test_its_models_take_our_answers(seen: dict[str, Any]) -> None:
    assert seen["availability"]["type"] == "masumi-agent"
    assert seen["availability"]["status"] == "available"


def test_its_purchase_is_taken_by_the_node(seen: dict[str, Any]) -> None:
    assert seen["bought"] == "success"


def test_it_takes_the_same_hash_of_the_input(seen: dict[str, Any]) -> None:
    assert len(seen["input hashes"]) == 3
    assert len(set(seen["input hashes"])) == 1


def test_it_sees_the_job_from_the_payment_to_the_end(seen: dict[str, Any]) -> None:
    assert seen["statuses"][0] == "awaiting_payment"
    assert seen["statuses"][-1] == "completed"


def test_its_helper_verifies_the_result_on_chain(seen: dict[str, Any]) -> None:
    its, on_chain = seen["result hashes"]
    assert seen["state"] == "ResultSubmitted"
    assert seen["result"]
    assert its == on_chain


def test_it_answers_the_question_and_takes_the_same_hash_of_the_answer(
    asked: dict[str, Any],
) -> None:
    ours, its = asked["answer hashes"]
    assert "awaiting_input" in asked["statuses"]
    assert ours == its
    assert asked["result"] == f"You say {GREETING}, I say **goodbye**."
