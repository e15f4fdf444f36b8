"""README's agent of ten lines is one: its code is run as it stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from masumi_sumi.flows import mip003_schema, read_form
from masumi_sumi.plugin.decorator import terms_of
from masumi_sumi.runtime.agent import flows_of
from masumi_sumi.runtime.serving import serve_api_of

README = Path(__file__).parents[3] / "README.md"
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32


@pytest.fixture
def code() -> str:
    section = README.read_text().split("### A function is enough")[1]
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def agent(code: str, apps: SimpleNamespace) -> Iterator[ModuleType]:
    module = ModuleType("readme_agent")
    sys.modules[module.__name__] = module
    exec(code.replace("7e8b...", AGENT), module.__dict__)
    yield module
    del sys.modules[module.__name__]


def test_it_has_ten_lines(code: str) -> None:
    assert len([line for line in code.splitlines() if line.strip()]) == 10


async def test_it_is_an_application_that_sells_its_function(agent: ModuleType) -> None:
    keeper = serve_api_of(agent.app)
    [(flow, handler)] = flows_of(keeper).items()
    asked = mip003_schema(read_form(keeper._method_lookup[handler]["model"].get_model()))

    assert flow == "/shout"
    assert [(field["id"], field["type"]) for field in asked["input_data"]] == [("text", "text")]
    assert (terms_of(handler).agent_identifier, terms_of(handler).network) == (AGENT, "Preprod")
    assert hasattr(agent.fast_app, "_bound_deployment")
    assert await agent.shout(agent.Order(text="loud")) == "LOUD"
