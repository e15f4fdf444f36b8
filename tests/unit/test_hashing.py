from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masumi_sumi.errors import BodyUnreadable
from masumi_sumi.hashing import canonical_json, input_hash, result_hash


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_the_notebooks_input_hash_comes_out():
    data = {"start": "0", "end": "100000", "tasks": "10"}

    assert input_hash("prime-valid", data) == (
        "5bc06e91746525903d5f5d0d9d3e0cc873df900aa033f096b68a34e08e916269"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (-0.0, "0"),
        (0.5, "0.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-7, "1e-7"),
        (True, "true"),
        (None, "null"),
        ("ü\n\u2028\x7f", '"ü\\n\u2028\x7f"'),
        ("\x0f", '"\\u000f"'),
        (2**53 - 1, "9007199254740991"),
        (2**53 + 1, "9007199254740992"),
        (10**21, "1e+21"),
        ([2**60, {"n": -(2**53) - 1}], '[1152921504606847000,{"n":-9007199254740992}]'),
        ({"b": [1.0, {"d": None, "c": 2}], "a": {}}, '{"a":{},"b":[1,{"c":2,"d":null}]}'),
        ({"\ufb33": 1, "\U0001f600": 2, "1": 3, "ö": 4}, '{"1":3,"ö":4,"😀":2,"\ufb33":1}'),
        ((), "[]"),
    ],
)
def test_canonical_json_is_rfc_8785(value, text):
    assert canonical_json(value) == text


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", {"\udfff": 1}, 10**400, {"x": [float("-inf")]}]
)
def test_what_json_cannot_carry_is_refused(value):
    with pytest.raises(BodyUnreadable, match="cannot be hashed"):
        canonical_json(value)


def test_too_deep_an_input_is_refused():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(BodyUnreadable, match="cannot be hashed"):
        canonical_json(deep)


@pytest.mark.parametrize(
    ("result", "escaped"),
    [
        ('say "hi"', r"say \"hi\""),
        ("a\nb", r"a\nb"),
        ("a\\b", r"a\\b"),
        ("tab\t", r"tab\t"),
        ("\x01", r"\u0001"),
    ],
)
def test_the_escaped_result_is_what_stands_between_the_quotes(result, escaped):
    assert result_hash("id", result) == sha256(f"id;{escaped}")
    assert result_hash("id", result, "raw") == sha256(f"id;{result}")
    assert result_hash("id", result) != result_hash("id", result, "raw")


@pytest.mark.parametrize("result", ["plain", "", "ünïcode 😀 \u2028 \x7f", "a/b 'c'"])
def test_both_forms_agree_where_nothing_is_escaped(result):
    assert result_hash("id", result) == result_hash("id", result, "raw") == sha256(f"id;{result}")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(json_values)
def test_canonical_json_survives_a_round_trip(value):
    text = canonical_json(value)

    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers()))
def test_the_order_of_keys_does_not_matter(data):
    backwards = dict(reversed(list(data.items())))

    assert input_hash("id", data) == input_hash("id", backwards)
