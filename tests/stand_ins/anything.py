"""Whatever a stranger's JSON may hold, and what buyers of good will send: for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from masumi_sumi.flows import Field, Kind

words = st.text(st.characters(codec="utf-8"), max_size=8)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.integers(-1, 5)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=12)
    | st.sampled_from(
        [
            "on",
            "2025-01-01",
            "09:00:00",
            "2025-W01",
            "a@b.c",
            "https://a.b",
            "http://a.b/c.pdf",
            "#AABBCC",
        ]
    )
)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars, max_size=2)

_NOTHING = st.just(...)
_urls = st.sampled_from(["https://a.example/a.pdf", "https://a.example/?b", "http://a.example/a"])
_numbers = st.integers(-9, 300) | st.floats(-9, 300) | st.integers(-9, 300).map(str)
_GOOD: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.NUMBER: _numbers | st.just(""),
    Kind.RANGE: _numbers,
    Kind.DATE: st.dates().map(str) | st.just(""),
    Kind.TIME: st.times().map(lambda at: at.isoformat("minutes")),
    Kind.DATETIME: st.datetimes().map(lambda at: at.isoformat(timespec="minutes")),
    Kind.MONTH: st.dates().map(lambda at: f"{at:%Y-%m}".zfill(7)),
    Kind.WEEK: st.sampled_from(["2020-W53", "2025-W01", "0001-W01"]),
    Kind.BOOLEAN: st.booleans() | st.sampled_from(["on", "true", "false"]),
    Kind.CHECKBOX: st.booleans() | st.just(""),
    Kind.COLOR: st.sampled_from(["#AABBCC", "#001122"]),
    Kind.EMAIL: st.sampled_from(["a@b.example", "a.b+c@d.example"]),
    Kind.URL: _urls,
    Kind.FILE: _urls | st.lists(_urls, max_size=3),
}


def answer_to(field: Field) -> st.SearchStrategy[Any]:
    """Of good will, mostly: within the field's rules as often as without."""
    if field.kind is Kind.HIDDEN:
        return st.just(field.default) | words
    if field.choices:
        labels = st.sampled_from([choice.label for choice in field.choices])
        places = st.integers(0, len(field.choices) - 1)
        one, several = labels | places, st.lists(labels | places, max_size=3)
        return one | several if field.kind is Kind.CHOICES else one | one.map(lambda any_: [any_])
    return _GOOD.get(field.kind, words | st.text("ab1 ", max_size=8))


def answers_to(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """An object by field id: most fields of good will, others of none or left out."""
    drawn = st.fixed_dictionaries(
        {field.name: st.one_of(*[answer_to(field)] * 4, anything, _NOTHING) for field in fields}
    )
    return drawn.map(lambda all_: {name: value for name, value in all_.items() if value is not ...})
