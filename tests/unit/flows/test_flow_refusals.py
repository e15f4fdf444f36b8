"""Whatever rule of a form a value is refused for, its buyer could read that rule before."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import mip003_schema, read_form, submitted

LANDS = [{"name": "us", "label": "US"}, {"name": "de", "label": "Germany"}, {"name": "fr"}]


@dataclass(frozen=True)
class Served:
    """A field as a buyer reads it."""

    field: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.field["type"])

    @property
    def words(self) -> str:
        return f" {self.field.get('data', {}).get('description', '')} "

    @property
    def rules(self) -> dict[str, str]:
        return {rule["validation"]: rule["value"] for rule in self.field.get("validations", ())}

    def data(self, key: str) -> Any:
        return self.field.get("data", {}).get(key)

    def required(self) -> bool:
        """A box that must be checked can be answered and still be refused."""
        switch = self.type in ("boolean", "checkbox")
        return "optional" not in self.rules and (not switch or "Must be checked" in self.words)

    def low(self, bound: str) -> bool:
        shown = re.sub(r"(:\d\d):00$", r"\1", bound.replace(" ", "T"))
        said = (f" At least {bound}. ", f" Not before {shown}. ", f" From {shown} over midnight")
        return self._bounds("min", bound) or any(each in self.words for each in said)

    def high(self, bound: str) -> bool:
        shown = re.sub(r"(:\d\d):00$", r"\1", bound.replace(" ", "T"))
        said = (f" At most {bound}. ", f" Not after {shown}. ", f" over midnight to {shown}. ")
        return self._bounds("max", bound) or any(each in self.words for each in said)

    def _bounds(self, name: str, bound: str) -> bool:
        moment = self.type not in ("number", "range")
        return not moment and name in self.rules and int(self.rules[name]) == float(bound)

    def steps(self, start: str, step: str) -> bool:
        """Counted from 0, or from what is said."""
        if self.type == "range" and self.rules.get("min") == start:
            return self.data("step") == float(step)
        from_zero = (float(start) / float(step)).is_integer()
        told = f" In steps of {step}. " if from_zero else f" In steps of {step} from {start}. "
        return told in self.words or (from_zero and self.data("step") == float(step))

    def seconds(self, step: str) -> bool:
        """Times are in minutes anyway."""
        return step == "60" or f" In steps of {step} second" in self.words


ALWAYS = ("text", "textarea", "password", "email", "url", "tel", "search", "number", "range")
MOMENTS = ("date", "time", "datetime-local", "month", "week", "color")

REASONS: list[tuple[str, Callable[..., bool]]] = [
    ("is required", Served.required),
    ("must have at least (.+) (?:characters|choices)", lambda s, n: s.rules["min"] == n),
    ("must have at most (.+) (?:characters|choices)", lambda s, n: s.rules["max"] == n),
    ("must not be below (.+)", Served.low),
    ("must not be above (.+)", Served.high),
    ("must be (.+) plus a multiple of (.+)", Served.steps),
    ("must be in steps of (.+) seconds", Served.seconds),
    (
        "must be a whole number",
        lambda s: s.rules.get("format") == "integer" or s.data("step") == 1,
    ),
    ("must match the pattern (.+)", lambda s, p: f" Matches the pattern “{p}” from" in s.words),
    ("must be one line", lambda s: s.type in ALWAYS and s.type != "textarea"),
    (
        "must be (?:text|a number|a finite number)|must not contain NUL or broken characters",
        lambda s: s.type in (*ALWAYS, *MOMENTS, "hidden") or s.field["data"],
    ),
    ("must be an email address", lambda s: s.rules["format"] == "email"),
    ("must be an absolute URL", lambda s: s.rules["format"] == "url"),
    ("must be a (?:date|time|date and time|month|week|color) as .+", lambda s: s.type in MOMENTS),
    ("must be true or false", lambda s: s.type in ("boolean", "checkbox")),
    ("must be one choice", lambda s: s.type == "radio" or s.rules["max"] == "1"),
    (
        "(?s)must be one of: .*|has no choice at this position: .*|must be a choice by .*",
        lambda s: s.data("values"),
    ),
    ("must not name a choice twice", lambda s: s.type == "option"),
    ("must be a URL.*", lambda s: s.data("outputFormat") == "url"),
    ("must be one file", lambda s: " One file. " in s.words),
    ("(?s)must be a file of the type (.*)", lambda s, accept: s.rules["accept"] == accept),
    ("(?:only )?one button (?:can|must) be pressed", lambda s: "is to be chosen." in s.words),
]


def is_said(served: Served, reason: str) -> bool:
    """A reason that nobody here has heard of is not said."""
    for pattern, says in REASONS:
        if found := re.fullmatch(pattern, reason):
            return bool(says(served, *found.groups()))
    return False


MOMENTS_OF = {
    "date": ["2025-01-01", "2025-01-02", "2025-01-03", "2025-02-30"],
    "time": ["06:00", "08:59:30", "22:00:00", "23:00:00.5"],
    "datetime": ["2025-01-01T09:00", "2025-01-01 09:30:15", "2025-01-02T09:00"],
    "month": ["2024-12", "2025-01", "2025-02"],
    "week": ["2024-W52", "2025-W01", "2025-W54"],
}
CHOSEN = st.lists(st.sampled_from([0, 1, 2, 3, "US", "xx", False]), max_size=3) | st.just([1, 1])
URLS = ["https://a.b/c.pdf", "https://a.b/c.png", "no address", "http://u:p@a.b/c.pdf"]
LINES = ["ab", "abcdef", "a\nb", "a@b.c", "https://a.b", 5, "\0"]


def element(kind: str, **told: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    always = {"type": st.just(kind), "option": st.just(LANDS), "text": st.sampled_from("ST")}
    return st.fixed_dictionaries(always, optional={"required": st.booleans(), **told})


def lines(kind: str) -> st.SearchStrategy[Any]:
    lengths = {f"{end}_length": st.integers(1, 5) for end in ("min", "max")}
    patterns = st.sampled_from(["[a-z]*", "a|b", "("])
    return st.tuples(element(kind, pattern=patterns, **lengths), st.sampled_from(["", *LINES]))


def numbers(kind: str) -> st.SearchStrategy[Any]:
    some = st.integers(-20, 20).map(lambda quarter: quarter / 4)
    steps = st.sampled_from([0.25, 1, 2.5, 5, "any"])
    told = {"min_value": some, "max_value": some, "value": some, "step": steps}
    return st.tuples(element(kind, **told), some)


def moments(named: str) -> st.SearchStrategy[Any]:
    some = st.sampled_from(MOMENTS_OF[named])
    told = {f"min_{named}": some, f"max_{named}": some, "value": some}
    steps = st.sampled_from([1, 60, 90, 900])
    kind = "datetime-local" if named == "datetime" else named
    return st.tuples(element(kind, step=steps, **told), some)


def choices(kind: str) -> st.SearchStrategy[Any]:
    lengths = {f"{end}_length": st.integers(1, 3) for end in ("min", "max")}
    values = st.sampled_from(["us", "", '["de"]'])
    return st.tuples(element(kind, value=values, **lengths), CHOSEN)


def files(kind: str) -> st.SearchStrategy[Any]:
    told = {"multiple": st.booleans(), "accept": st.just(".pdf")}
    return st.tuples(element(kind, **told), st.lists(st.sampled_from(URLS), min_size=1, max_size=2))


def switches(kind: str) -> st.SearchStrategy[Any]:
    sent = st.sampled_from([True, False, "perhaps"])
    return st.tuples(element(kind, value=st.booleans()), sent)


ASKED = {
    **dict.fromkeys(["text", "textarea", "password", "email", "url", "tel", "search"], lines),
    **dict.fromkeys(["number", "range"], numbers),
    **dict.fromkeys(MOMENTS_OF, moments),
    **dict.fromkeys(["select", "radio", "choices"], choices),
    **dict.fromkeys(["boolean", "checkbox"], switches),
    "file": files,
    "color": lines,
    "action": lambda kind: st.tuples(element(kind, value=st.just("1")), st.just(0)),
}


@pytest.mark.parametrize("kind", ASKED)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), submit=st.booleans())
def test_no_rule_of_a_form_is_first_heard_of_in_a_refusal(
    kind: str, data: st.DataObject, submit: bool
):
    asked = data.draw(st.lists(st.tuples(ASKED[kind](kind), st.booleans()), max_size=2))
    elements = [{"name": f"f{at}", **element} for at, ((element, _), _) in enumerate(asked)]
    form = read_form([*elements, *([{"type": "submit"}] if submit else [])])
    fields = {field["id"]: Served(field) for field in mip003_schema(form)["input_data"]}
    try:
        submitted(form, {f"f{at}": value for at, ((_, value), told) in enumerate(asked) if told})
    except FieldsInvalid as refused:
        for name, reasons in refused.errors.items():
            assert [reason for reason in reasons if not is_said(fields[name], reason)] == []
