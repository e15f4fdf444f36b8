"""What Ray Serve is given: the wrapped application, its terms, the configuration around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from boot_steps import AGENT, all_of, an_expose
from ray_stand_in import RayStandIn

from masumi_sumi.errors import DocumentInvalid
from masumi_sumi.exposes import (
    Boot,
    ExposeBook,
    ServeConfig,
    line,
)
from masumi_sumi.exposes.applications import serve_document
from masumi_sumi.settings import Settings


async def test_serve_is_given_the_wrapped_app_with_its_terms(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    bootstrap = """import_path: tests.test_masumi:fast_app
args: {size: 3}
runtime_env: {env_vars: {A: b}}
deployments: [{name: TwoStage, num_replicas: 2}]
"""
    card = f"display: Two\nagentIdentifier: {AGENT}\ndemo: {{input: {{}}, output: {{result: x}}}}\n"
    dynamic = "agentPricing: {pricingType: Dynamic}\nterms: {price: 5, pay_by: 900}\n"
    cards = [{"url": "/sumi-test/", "data": card}, {"url": "/sumi-test/b", "data": dynamic}]
    await an_expose(book, "sumi-test", bootstrap=bootstrap, network="Preprod", meta=cards)

    await all_of(boot.boot())

    root = {
        "agent_identifier": AGENT,
        "demo": {"input": {}, "output": {"result": "x"}},
        "network": "Preprod",
    }
    other = {"pricing": "Dynamic", "price": 5, "pay_by": 900, "network": "Preprod"}
    assert ray.document("sumi-test") == {
        "name": "sumi-test",
        "route_prefix": "/sumi-test",
        "import_path": "masumi_sumi.plugin:application",
        "args": {
            "target": "tests.test_masumi:fast_app",
            "target_args": {"size": 3},
            "flows": {"*": {"network": "Preprod"}, "/": root, "/b": other, "/b/": other},
        },
        "runtime_env": {"env_vars": {"A": "b"}},
        "deployments": [{"name": "TwoStage", "num_replicas": 2}],
    }
    assert ray.puts[-1]["http_options"] == {"host": "127.0.0.1", "port": 8005}
    assert ray.puts[-1]["proxy_location"] == "HeadOnly"


async def test_terms_of_an_expose_are_such_as_the_plugin_reads(book: ExposeBook) -> None:
    from masumi_sumi.plugin.terms import FlowTerms

    data = f"agentIdentifier: {AGENT}\nagentPricing: {{pricingType: fixed}}\n"
    data += "demo: {input: {a: 1}, output: {result: x}}\n"
    data += "terms: {source_index: 1, pay_by: 60, submit_by: 9000, run: 60, lock: 0, repeats: 1}\n"
    await an_expose(book, "a", network="Mainnet", meta=[{"url": "/a/", "data": data}])

    args = serve_document(await book.get("a"))["args"]

    terms = FlowTerms.of("flow /", args["flows"]["/"])
    assert (terms.agent_identifier, terms.network, terms.pricing) == (AGENT, "Mainnet", "Fixed")


def test_serve_listens_where_settings_say_else_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("http_options: {host: 0.0.0.0, port: 9000}\napplications: [{name: x}]\n")
    plain = Settings(data_dir=tmp_path, serve_config=file, nodes={})
    said = Settings(data_dir=tmp_path, serve_config=file, nodes={}, serve_port=9999)
    none = Settings(data_dir=tmp_path, serve_config=tmp_path / "none.yaml", nodes={})

    assert ServeConfig.read(plain).url == "http://127.0.0.1:9000"
    assert "applications" not in ServeConfig.read(plain).options
    assert ServeConfig.read(said).url == "http://127.0.0.1:9999"
    assert ServeConfig.read(none).url == "http://127.0.0.1:8005"


async def test_a_broken_serve_config_ends_the_boot_with_line_and_column(
    boot: Boot, settings: Settings
) -> None:
    settings.serve_config.write_text("http_options: {\n")

    with pytest.raises(DocumentInvalid):
        ServeConfig.read(settings)
    assert line((await all_of(boot.boot()))[-1]).startswith(
        "✗ Boot failed: serve_config.yaml: line 2, column 1: "
    )
