"""Several forms under one schema: ids that are unique there, and answers that find their form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.errors import BodyUnreadable, FieldsInvalid
from masumi_sumi.flows import Group, grouped, groups_schema, parted, read_form


def asks(group: str, *names: str, note: str = "") -> Group:
    notes = [{"type": "markdown", "text": note}] if note else []
    fields = [{"type": "text", "name": name, "required": True} for name in names]
    return Group(group, f"The {group}", read_form([*notes, *fields]))


def ids(groups: tuple[Group, ...]) -> list[list[str]]:
    return [[f["id"] for f in g["input_data"]] for g in groups_schema(groups)["input_groups"]]


def test_ids_that_nobody_else_has_stay_as_they_are():
    groups = grouped([asks("a", "size"), asks("b", "color")])

    assert groups_schema(groups) == {
        "input_groups": [
            {"id": "a", "title": "The a", "input_data": [{**FIELD, "id": "size", "name": "size"}]},
            {
                "id": "b",
                "title": "The b",
                "input_data": [{**FIELD, "id": "color", "name": "color"}],
            },
        ]
    }


FIELD = {"type": "text", "validations": [{"validation": "format", "value": "nonempty"}]}


def test_ids_that_two_have_are_served_with_their_groups():
    groups = grouped([asks("a", "word", "size", note="# Hello"), asks("b", "word", note="# Bye")])

    assert ids(groups) == [["a:note_1", "a:word", "size"], ["b:note_1", "b:word"]]


def test_an_answer_to_all_is_parted_with_each_forms_own_ids():
    groups = grouped([asks("a", "word", "size"), asks("b", "word")])

    parts = parted(groups, {"b:word": "two", "a:word": "one", "size": "L"})

    assert parts == {"a": {"word": "one", "size": "L"}, "b": {"word": "two"}}


def test_a_list_of_keys_and_values_is_parted_too():
    groups = grouped([asks("a", "size"), asks("b", "color")])

    assert parted(groups, [{"key": "color", "value": "red"}]) == {"a": {}, "b": {"color": "red"}}


@pytest.mark.parametrize("name", ["word", "c:word", "a", ""])
def test_an_id_that_is_not_served_is_named(name: str):
    with pytest.raises(FieldsInvalid) as refusal:
        parted(grouped([asks("a", "word"), asks("b", "word")]), {name: "x"})

    assert refusal.value.errors == {name: ["unknown field"]}


@pytest.mark.parametrize("data", ["text", 5, [1]])
def test_several_forms_take_no_plain_text(data: Any):
    with pytest.raises(BodyUnreadable):
        parted(grouped([asks("a", "x"), asks("b", "y")]), data)


@pytest.mark.parametrize("name", ["word", "a:word"])
def test_one_of_them_is_answered_with_either_id(name: str):
    first, _ = grouped([asks("a", "word"), asks("b", "word")])

    assert first.own({name: "x"}) == {"word": "x"}
    assert first.told({"word": ["is bad"]}) == {"a:word": ["is bad"]}


def test_one_field_answered_twice_is_refused():
    first, _ = grouped([asks("a", "word"), asks("b", "word")])

    with pytest.raises(FieldsInvalid, match="sent twice"):
        first.own({"word": "x", "a:word": "y"})


NAMES = st.lists(st.sampled_from(["x", "y", "a:x", "a:a:x", "b:x", ":"]), unique=True, max_size=4)


@given(st.lists(NAMES, min_size=2, max_size=3))
def test_ids_are_unique_whatever_they_are_called_and_lead_back(names: list[list[str]]):
    groups = grouped([asks(key, *each) for key, each in zip("abc", names, strict=False)])
    served = [name for group in ids(groups) for name in group]

    parts = parted(groups, {name: name for name in served})

    assert len(set(served)) == len(served)
    assert [list(parts[group.id]) for group in groups] == names
    for group in groups:
        assert group.own(parts[group.id]) == parts[group.id]
