"""The gateway says what it takes and answers, to anybody who asks."""

from __future__ import annotations

import pytest
from counter import Counter

from masumi_sumi.faces.openapi import mip003_document, sumi_document
from masumi_sumi.faces.openapi.words import Schema

DOCUMENTS = {"/mip003/openapi.json": mip003_document, "/sumi/openapi.json": sumi_document}


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_a_stranger_reads_the_document(counter: Counter, path: str) -> None:
    answer = await counter.client().get(path)
    assert (answer.status_code, answer.json()) == (200, DOCUMENTS[path]())
    assert counter.apps.asked == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_shape_that_is_spoken_of_is_there(path: str) -> None:
    document = DOCUMENTS[path]()
    spoken = {name.removeprefix("#/components/schemas/") for name in _references(document)}
    assert spoken
    assert spoken <= set(document["components"]["schemas"])


@pytest.mark.parametrize("path", DOCUMENTS)
async def test_every_path_of_a_document_is_the_gateways_own(counter: Counter, path: str) -> None:
    """The panel, which has all other paths, says which one it got."""
    await counter.sells("prime", "/", "/async")
    document, base = DOCUMENTS[path](), "/mip003" if "mip003" in path else ""
    filled = {"{expose}": "prime", "{flow}": "async", "{job_id}": "1", "{lock_id}": "2"}
    for template, item in document["paths"].items():
        place = f"{base}{template}"
        for name, value in filled.items():
            place = place.replace(name, value)
        for method in item:
            answer = await counter.client().request(method, place)
            assert answer.status_code != 405, place
            assert "panel" not in answer.json(), place


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {str(value["$ref"])} if "$ref" in value else set()
        return own.union(*(_references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_references(each) for each in value))
    return set()


def test_references_are_found_wherever_they_stand() -> None:
    nested: Schema = {"a": [{"$ref": "x"}, {"b": {"$ref": "y"}}]}
    assert _references(nested) == {"x", "y"}
