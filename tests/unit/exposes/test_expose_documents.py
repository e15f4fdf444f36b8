"""YAML to values: what is taken, what is refused, and where the fault is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.errors import DocumentInvalid
from masumi_sumi.exposes import Bootstrap, FoundFlow, bootstrap_of, card_of, yamls
from masumi_sumi.exposes.documents import card_template

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32

TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co")))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def test_a_bootstrap_is_an_application_of_serve() -> None:
    text = """import_path: kodosumi_examples.prime.app:fast_app
runtime_env:
  py_modules:
    - https://example.com/archive/c1fc02b.zip
deployments:
  - name: PrimeDistribution
    num_replicas: 1
    ray_actor_options:
      num_cpus: 0.1
"""

    assert bootstrap_of(text, "prime") == Bootstrap(
        "kodosumi_examples.prime.app:fast_app",
        {},
        {
            "runtime_env": {"py_modules": ["https://example.com/archive/c1fc02b.zip"]},
            "deployments": [
                {
                    "name": "PrimeDistribution",
                    "num_replicas": 1,
                    "ray_actor_options": {"num_cpus": 0.1},
                }
            ],
        },
    )


def test_name_and_route_may_be_said_as_they_are() -> None:
    text = "import_path: a.b:c\nname: prime\nroute_prefix: /prime\nargs: {size: 3}"

    assert bootstrap_of(text, "prime") == Bootstrap("a.b:c", {"size": 3}, {})


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "mapping"),
        ("- a", "mapping"),
        ("runtime_env: {}", "import_path"),
        ("import_path: a.b", "import_path"),
        ("import_path: ../a:b", "import_path"),
        ("import_path: [a]", "import_path"),
        ("import_path: a:b\nname: other", "name follows from the expose"),
        ("import_path: a:b\nroute_prefix: /", "route_prefix follows from the expose"),
        ("import_path: a:b\nargs: [1]", "args must be a mapping"),
        ("import_path: a:b\nruntime_env: x", "runtime_env must be a mapping"),
        ("import_path: a:b\ndeployments: {}", "deployments must be a list"),
    ],
)
def test_a_bootstrap_that_cannot_be_is_refused(text: str, rule: str) -> None:
    with pytest.raises(DocumentInvalid, match=rule):
        bootstrap_of(text, "prime")


def test_a_card_says_what_is_for_sale() -> None:
    card = card_of(
        f"""display: Text Input Types Demo
description: Showcases text input components with payment
agentIdentifier: {AGENT.upper()}
agentPricing:
  pricingType: Fixed
  fixedPricing:
    - amount: "10000000"
      unit: ""
tags: [demo, forms, 3]
author: {{name: me}}
legal: {{terms: https://example.com/terms}}
"""
    )

    assert (card.display, card.tags) == ("Text Input Types Demo", ("demo", "forms", "3"))
    assert (card.agent_identifier, card.pricing) == (AGENT, "Fixed")
    assert card.fixed == ({"amount": "10000000", "unit": ""},)
    assert card.is_for_sale
    assert card.content["legal"] == {"terms": "https://example.com/terms"}


def test_an_empty_card_is_one() -> None:
    assert card_of(None) == card_of("") == card_of("# nothing yet\n")
    assert not card_of(None).is_for_sale


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("just words", "mapping"),
        ("agentIdentifier: nonsense", "hexadecimal"),
        (f"agentIdentifier: {AGENT[:-1]}", "in pairs"),
        (f"agentIdentifier: {'1' * 64}", "quotes"),
        ("display: 5", "quotes"),
        ("tags: demo", "list of texts"),
        ("agentPricing: {pricingType: Cheap}", "Fixed, Dynamic or Free"),
        ("agentPricing: {pricingType: Fixed, fixedPricing: [{amount: -1}]}", "amount"),
        ("agentPricing: Free", "mapping"),
        ("demo: yes", "a demo is"),
        ("demo: {input: {a: 1}, output: x}", "a demo is"),
        ("terms: {pay_bye: 3}", "pay_bye"),
    ],
)
def test_a_card_that_cannot_be_is_refused(text: str, rule: str) -> None:
    with pytest.raises(DocumentInvalid, match=rule):
        card_of(text)


@pytest.mark.parametrize(
    ("text", "place", "rule"),
    [
        ("a: 1\nb: [1, 2\n", (3, 1), "expected ',' or ']'"),
        ("a: 1\n  b: 2\n", (2, 4), "mapping values are not allowed here"),
        ("a: 1\nb:\n\t- 1\n", (3, 1), "cannot start any token"),
        ("a: 1\nb: x\x07y", (2, 5), "a character that YAML forbids"),
        ("a: &x [1]\nb: *x\n", (2, 4), "aliases"),
        ("a: !!python/object/apply:os.system [ls]\n", (1, 4), "no plain value"),
        ("a: !!binary aGk=\n", (1, 4), "no plain value"),
        ("a: 1\na: 2\n", (2, 1), "twice"),
        ("on: 1\n", (1, 1), "quotes"),
        ("a: .nan\n", (1, 4), "no number"),
        ("a: .inf\n", (1, 4), "no number"),
        (f"a: {'9' * 5000}\n", (1, 4), "no number"),
        ('a: "\\0"\n', (1, 4), "no text can have"),
        ('a: "\\ud800"\n', (1, 4), "no text can have"),
        ("[" * 500, (1, 33), "nested"),
        ("--- 1\n--- 2\n", (2, 1), "another document"),
        ("x" * 70_000, (1, 1), "longer than"),
    ],
)
def test_yaml_that_is_not_taken_is_refused_where_it_stands(
    text: str, place: tuple[int, int], rule: str
) -> None:
    with pytest.raises(DocumentInvalid, match=rule) as refused:
        yamls.load(text, "bootstrap")

    assert (refused.value.line, refused.value.column) == place


def test_a_thousand_laughs_are_not_laughed() -> None:
    lines = ["a: &a [x]"] + [
        f"{b}: &{b} [*{a}, *{a}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]

    with pytest.raises(DocumentInvalid, match="aliases"):
        yamls.load("\n".join(lines), "data")


def test_dates_stay_texts() -> None:
    assert yamls.load("day: 2026-01-02\nat: 2026-01-02T03:04:05Z", "x") == {
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05Z",
    }


@given(st.text(max_size=200))
def test_any_text_is_taken_or_refused_and_nothing_else(text: str) -> None:
    _take_or_refuse(text)


@given(
    st.lists(st.sampled_from([*"[]{}:,-&*!|>'\"#%@`? \n\t", "a", "1", "0x", "0b_", "1:6", "<<"]))
)
def test_texts_like_yaml_are_taken_or_refused_and_nothing_else(pieces: list[str]) -> None:
    _take_or_refuse("".join(pieces))


@given(PLAIN)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert yamls.load(yamls.dump(value), "x") == value
    assert yaml.safe_load(yamls.dump(value)) == value


def test_a_flow_without_a_card_gets_one_of_what_its_app_says() -> None:
    flow = FoundFlow("/serve", "jKx Knowledge Graph", "One line.\nAnother: line", ("Test",), "me")

    card = card_of(card_template(flow))

    assert card.display == "jKx Knowledge Graph"
    assert card.description == "One line.\nAnother: line"
    assert card.content["author"] == {"name": "me"}
    assert not card.is_for_sale


def _take_or_refuse(text: str) -> None:
    with suppress(DocumentInvalid):
        json.dumps(yamls.load(text, "data"), allow_nan=False).encode()
