"""Exposes in a file: what applying it changes, and what a written file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import ExposeInvalid
from masumi_sumi.exposes import ExposeBook, FoundFlow, draft_of, expose_json
from masumi_sumi.exposes.declared import Change, plan, read_exposes, write_exposes

EXAMPLE = Path(__file__).parents[3] / "examples" / "exposes.yaml"

TEXT = """exposes:
  - name: prime
    display: Prime Gaps
    bootstrap:
      import_path: examples.prime:fast_app
    flows:
      /async:
        display: Async
        tags: [a]
"""


async def applied(book: ExposeBook, text: str, *, prune: bool = False) -> dict[str, str]:
    there = [expose_json(each) for each in await book.list()]
    changes = plan(read_exposes(text, "exposes.yaml"), there, prune=prune)
    for change in changes:
        if change.what == "deleted":
            await book.delete(change.name)
        elif change.body:
            await book.save(draft_of(change.body))
    return {change.name: change.what for change in changes}


def test_the_example_names_the_four_demo_exposes() -> None:
    drafts = {each.name: each for each in read_exposes(EXAMPLE.read_text(), EXAMPLE.name)}

    assert sorted(drafts) == ["form-example", "jkx", "prime", "sumi-test"]
    assert drafts["sumi-test"].network == "Preprod"
    assert drafts["sumi-test"].meta[0].url == "/sumi-test/"
    assert "agentIdentifier: 7e8bdaf2" in str(drafts["sumi-test"].meta[0].data)
    assert "num_cpus: 0.1" in str(drafts["prime"].bootstrap)


async def test_a_file_is_created_then_unchanged_then_changed(
    book: ExposeBook, clock: ManualClock
) -> None:
    text = EXAMPLE.read_text()
    first = await applied(book, text)
    clock.advance(1)
    again = await applied(book, text)
    third = await applied(book, text.replace("num_cpus: 0.1", "num_cpus: 0.2"))

    assert set(first.values()) == {"created"}
    assert set(again.values()) == {"unchanged"}
    assert third == {**again, "prime": "changed"}
    assert "num_cpus: 0.2" in str((await book.get("prime")).bootstrap)


async def test_what_a_boot_has_found_is_no_change_and_stays(book: ExposeBook) -> None:
    await applied(book, TEXT)
    await book.found("prime", [FoundFlow("/"), FoundFlow("/async")])

    assert await applied(book, TEXT) == {"prime": "unchanged"}
    assert await applied(book, TEXT.replace("Async", "Other")) == {"prime": "changed"}
    assert [card.url for card in (await book.get("prime")).meta] == ["/prime/async", "/prime/"]


async def test_how_it_is_written_is_no_change(book: ExposeBook) -> None:
    bootstrap = "import_path:   'examples.prime:fast_app'   # mine\n"
    meta = [{"url": "/prime/async/", "data": "{tags: [a], display: Async}"}]
    body = {"name": "prime", "display": "Prime Gaps", "bootstrap": bootstrap, "meta": meta}
    await book.save(draft_of(body))

    assert await applied(book, TEXT) == {"prime": "unchanged"}


async def test_prune_deletes_what_is_not_in_the_file(book: ExposeBook) -> None:
    await applied(book, EXAMPLE.read_text())

    assert await applied(book, TEXT) == {"prime": "changed"}
    assert await applied(book, TEXT, prune=True) == {
        "prime": "unchanged",
        "form-example": "deleted",
        "jkx": "deleted",
        "sumi-test": "deleted",
    }
    assert [each.name for each in await book.list()] == ["prime"]


async def test_a_change_is_refused_when_another_changed_it_meanwhile(book: ExposeBook) -> None:
    await applied(book, TEXT)
    there = [expose_json(each) for each in await book.list()]

    (change,) = plan(read_exposes(TEXT.replace("Gaps", "X"), "f"), there, prune=False)

    assert change.fields == ("display",)
    assert change.body is not None
    assert change.body["etag"] == there[0]["etag"]


async def test_what_is_exported_applies_without_a_change(book: ExposeBook) -> None:
    await applied(book, EXAMPLE.read_text())
    body: dict[str, Any] = {"name": "off", "enabled": False, "display": "Äh: #1"}
    cards = [{"url": "/off/a", "data": "display: |\n  two\n  lines\n", "enabled": False}]
    await book.save(draft_of({**body, "meta": [*cards, {"url": "/off/"}]}))
    before = [expose_json(each) for each in await book.list()]

    text = write_exposes(before)

    assert set((await applied(book, text, prune=True)).values()) == {"unchanged"}
    assert [expose_json(each) for each in await book.list()] == before


def test_one_expose_needs_no_list() -> None:
    (draft,) = read_exposes("name: a\nbootstrap: |\n  import_path: a:b\n", "one.yaml")

    assert (draft.name, draft.bootstrap) == ("a", "import_path: a:b\n")
    assert plan([draft], [], prune=False) == (
        Change("a", "created", ("bootstrap",), {"name": "a", "bootstrap": "import_path: a:b\n"}),
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("exposes: {}", 'a list under "exposes"'),
        ("", 'a list under "exposes"'),
        ("exposes:\n  - name: a\n  name: b", "line 3, column 3"),
        ("exposes: [x]", "expose 1: must be a mapping"),
        ("exposes: [{name: a}, {name: a}]", "expose a is there twice"),
        ("exposes: [{name: a}, {name: B}]", r"expose 2 \(B\): name: must be 1 to 63"),
        ("name: a\nmeta: []", r"expose 1 \(a\): meta is no field"),
        ("name: a\nflows: {async: {}}", "by path"),
        ("name: a\nflows: {/../b: {}}", "url"),
        ("name: a\nbootstrap: {}", "import_path must be"),
        ("name: a\nflows: {/: {agentIdentifier: x}}", "hexadecimal"),
    ],
)
def test_a_file_that_cannot_be_is_refused_where_it_stands(text: str, rule: str) -> None:
    with pytest.raises(ExposeInvalid, match=rule):
        read_exposes(text, "exposes.yaml")
