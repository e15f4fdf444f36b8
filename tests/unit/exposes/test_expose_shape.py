"""What an expose is, what may be asked of it, and how the HTTP API shows it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.errors import DocumentInvalid, ExposeInvalid
from masumi_sumi.exposes import Expose, ExposeState, FlowMeta, FlowState, draft_of, expose_json
from masumi_sumi.exposes.model import RESERVED, checked_name, checked_url, flow_path

LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\Z").filter(
    lambda n: n not in RESERVED
)

IN_THE_NOTEBOOK = {
    "bootstrap": "import_path: tests.test_masumi:fast_app",
    "created": "2025-12-10T07:02:39.125288",
    "display": "Masumi Two-Stage Service",
    "enabled": True,
    "etag": "1765350349.531877",
    "flow_stats": "0/0",
    "heartbeat": 1765350349.501764,
    "meta": [
        {
            "data": "display: Two-Stage HITL Demo\n",
            "enabled": True,
            "heartbeat": None,
            "state": None,
            "url": "/sumi-test/",
        }
    ],
    "name": "sumi-test",
    "needs_reboot": False,
    "network": "Preprod",
    "stale": False,
    "state": "RUNNING",
    "updated": "2025-12-10T07:05:49.531877",
}


def test_an_expose_looks_as_in_the_notebook() -> None:
    expose = Expose(
        name="sumi-test",
        created=1765350159.125288,
        updated=1765350349.531877,
        state=ExposeState.RUNNING,
        heartbeat=1765350349.501764,
        bootstrap="import_path: tests.test_masumi:fast_app",
        display="Masumi Two-Stage Service",
        network="Preprod",
        meta=(FlowMeta("/sumi-test/", "display: Two-Stage HITL Demo\n"),),
        deployed="import_path: tests.test_masumi:fast_app",
    )

    assert expose_json(expose) == IN_THE_NOTEBOOK


def test_an_expose_without_cards_shows_none_and_an_error_only_where_there_is_one() -> None:
    expose = Expose("jkx", 1.0, 1.0, ExposeState.UNHEALTHY, 1.0, error="No module named 'x'")

    shown = expose_json(expose)

    assert shown["meta"] is None
    assert shown["last_error"] == "No module named 'x'"
    assert shown["created"] == "1970-01-01T00:00:01.000000"


def test_flows_are_counted_by_those_that_were_looked_at() -> None:
    cards = (
        FlowMeta("/a/", state=FlowState.ALIVE),
        FlowMeta("/a/b", state=FlowState.NOT_FOUND),
        FlowMeta("/a/c"),
    )

    assert Expose("a", 1.0, 1.0, ExposeState.RUNNING, 1.0, meta=cards).flow_stats == "1/2"


@given(LABELS)
def test_a_label_of_a_host_name_is_a_name(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a_b",
        "-a",
        "a-",
        "a/b",
        "..",
        "a.b",
        "%2e",
        "a\n",
        "ä",
        "a" * 64,
        5,
        *sorted(RESERVED),
    ],
)
def test_other_names_are_refused_with_the_rule(name: object) -> None:
    with pytest.raises(ExposeInvalid) as refused:
        checked_name(name)

    assert list(refused.value.fields) == ["name"]


@given(LABELS, st.lists(st.from_regex(r"\A[A-Za-z0-9_~-]{1,8}\Z"), max_size=3), st.booleans())
def test_an_address_below_the_expose_is_one_of_a_flow(
    name: str, parts: list[str], slash: bool
) -> None:
    path = "".join(f"/{part}" for part in parts)
    url = f"/{name}{path}{'/' if slash else ''}"

    assert checked_url(url, name) == url
    assert flow_path(url) == (path or "/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "jkx/",
        "/other/",
        "/jkx//a",
        "/jkx/../other",
        "/jkx/.",
        "/jkx/a?b",
        "/jkx/a b",
        7,
        "http://elsewhere/jkx/",
        "/jkx/a#b",
        "/jkx/%2e%2e",
        "/jkx/\n",
        "/jkxx/",
        f"/jkx/{'a' * 600}",
    ],
)
def test_other_addresses_are_refused(url: object) -> None:
    with pytest.raises(ExposeInvalid):
        checked_url(url, "jkx")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({"name": "a", "bootstrapp": ""}, "bootstrapp"),
        ({"name": "a", "network": "preprod"}, "network"),
        ({"name": "a", "enabled": "yes"}, "enabled"),
        ({"name": "a", "display": 5}, "display"),
        ({"name": "a", "display": "two\nlines"}, "display"),
        ({"name": "a", "meta": {}}, "meta"),
        ({"name": "a", "meta": ["x"]}, "meta"),
        ({"name": "a", "meta": [{"url": "/a/", "price": 1}]}, "meta"),
        ({"name": "a", "meta": [{"url": "/b/"}]}, "url"),
        ({"name": "a", "meta": [{"url": "/a/"}, {"url": "/a"}]}, "meta"),
        ({"name": "a", "original_name": "../b"}, "original_name"),
    ],
)
def test_a_body_that_cannot_be_is_refused_by_its_field(body: Any, field: str) -> None:
    with pytest.raises(ExposeInvalid) as refused:
        draft_of(body)

    assert list(refused.value.fields) == [field]


def test_broken_yaml_is_refused_with_line_and_column() -> None:
    data = "display: x\ntags: [a, b\ndescription: y\n"

    with pytest.raises(DocumentInvalid, match=r"meta /a/ data: line 3, column 12") as refused:
        draft_of({"name": "a", "meta": [{"url": "/a/", "data": data}]})

    assert (refused.value.line, refused.value.column) == (3, 12)


def test_what_the_api_shows_can_be_sent_back() -> None:
    draft = draft_of(IN_THE_NOTEBOOK)

    assert draft.name == "sumi-test"
    assert draft.etag == "1765350349.531877"
    assert draft.meta == (FlowMeta("/sumi-test/", "display: Two-Stage HITL Demo\n"),)


def test_a_field_that_is_not_said_is_not_asked_for() -> None:
    assert draft_of({"name": "a", "display": None}).said == {"display"}
