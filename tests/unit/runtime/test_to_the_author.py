"""Any form, any input, through Kodosumi's own parsing: what the author's handler is given."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from anything import answers_to, anything, words
from browser_page import over_http
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kodosumi.service.inputs import forms as F

from masumi_sumi import forms
from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows import Form, read_form, submitted, undisguised
from masumi_sumi.jobs.ports import Sale
from masumi_sumi.runtime.agent import KodosumiAgent
from masumi_sumi.runtime.elements.own import Choices

quick = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
SALE = Sale("6b49d2001122334455667788", "admin", "aabbccddeeff0011", "0" * 64, "")

Make = Callable[[str], list[Any]]
maybe = st.none()
flags = st.booleans()
rarely = st.integers(0, 9).map(lambda drawn: drawn == 5)
texts = maybe | words | st.just("1")
numbers = maybe | st.integers(0, 200) | st.floats(0, 200)
lengths = maybe | st.integers(1, 9)
option_names = st.lists(words, min_size=1, max_size=3, unique=True)


def of(kind: Any, **facts: Any) -> st.SearchStrategy[Make]:
    told = {"label": texts, "value": texts, "required": rarely, **facts}
    drawn = st.fixed_dictionaries({key: fact for key, fact in told.items() if fact is not None})
    return drawn.map(lambda given: lambda name: [kind(name=name, **given)])


def with_options(kind: Any, **facts: Any) -> st.SearchStrategy[Make]:
    def make(named: list[str], given: dict[str, Any], at: int) -> Make:
        def build(name: str) -> list[Any]:
            options = [F.InputOption(name=each, label=f"The {each}") for each in named]
            return [kind(name=name, option=options, value=named[at % len(named)], **given)]

        return build

    return st.builds(make, option_names, st.fixed_dictionaries(facts), st.integers(0, 9))


def several(named: list[str], ticked: bool, least: int | None, required: bool) -> Make:
    def build(name: str) -> list[Any]:
        options = [{"name": each, "label": f"The {each}"} for each in named]
        boxes = [forms.Checkbox(f"{name}.{each}", each, value=ticked) for each in named]
        return [Choices(name, options, None, None, required, None, least), *boxes]

    return build


def button(pressed: list[tuple[str | None, str]]) -> Make:
    return lambda name: [F.Action(name=name, value=value, text=text) for value, text in pressed]


KINDS: dict[str, list[st.SearchStrategy[Make]]] = {
    "lines": [
        of(F.InputText, pattern=st.sampled_from([None, "[ab1 ]*"])),
        of(forms.InputText, min_length=lengths, max_length=lengths),
        of(F.InputPassword, min_length=lengths),
        of(forms.InputTel),
        of(forms.InputSearch),
        of(F.InputArea, max_length=lengths),
        of(forms.InputArea, min_length=lengths),
    ],
    "formats": [of(forms.InputColor), of(forms.InputEmail), of(forms.InputUrl)],
    "numbers": [
        of(F.InputNumber, min_value=numbers, max_value=numbers, step=numbers),
        of(forms.InputRange, min_value=numbers, max_value=numbers, step=numbers),
    ],
    "moments": [
        of(F.InputDate, min_date=maybe | st.just("1999-01-01")),
        of(F.InputTime, max_time=maybe | st.just("17:00")),
        of(F.InputDateTime, min_datetime=maybe | st.just("1999-01-01T00:00")),
        of(forms.InputMonth),
        of(forms.InputWeek),
    ],
    "files": [
        of(F.InputFiles, value=None, multiple=flags, directory=flags),
        of(forms.InputFiles, value=None, multiple=flags, accept=st.sampled_from([None, ".pdf"])),
    ],
    "switches": [
        of(F.Checkbox, value=flags, required=None, option=texts),
        of(forms.Checkbox, value=flags),
        of(forms.InputCheckbox, value=flags, option=words),
    ],
    "choices": [
        with_options(F.Select),
        with_options(forms.Select, required=rarely),
        with_options(forms.InputRadio, required=rarely),
        st.builds(several, option_names, flags, lengths, rarely),
    ],
    "the form's own": [
        of(forms.InputHidden, required=None),
        st.builds(button, st.lists(st.tuples(texts, words), min_size=1, max_size=2)),
    ],
}
KINDS["all of them"] = [make for makes in KINDS.values() for make in makes]
strays = st.sampled_from(["z", "note", "_global_", "a.1", ""])
NAMELESS = (F.Markdown("# Read"), F.HR(), forms.DisplayText("this", name="note"), F.Errors())


@st.composite
def models(draw: Any, kinds: str) -> list[Any]:
    drawn = draw(st.lists(st.one_of(KINDS[kinds]), min_size=1, max_size=5))
    asked = [element for name, make in zip("abcde", drawn, strict=False) for element in make(name)]
    return [*NAMELESS, *asked, *([F.Submit("Go")] if draw(flags) else [])]


def author_of(elements: list[Any]) -> tuple[KodosumiAgent, list[Any]]:
    """A flow that asks this, and what its handler was given."""
    from kodosumi.core import InputsError, ServeAPI

    app, seen = ServeAPI(), []

    @app.enter("/", model=F.Model(*elements))
    async def start(inputs: dict[str, Any]) -> Any:
        seen.append(inputs)
        raise InputsError

    return KodosumiAgent(app, app, "http://app"), seen


def taken(form: Form, sent: dict[str, Any]) -> dict[str, str] | None:
    """What is posted of an answer, without what was refused of it; None where nothing can be."""
    try:
        return submitted(form, sent)
    except FieldsInvalid as refusal:
        refused = refusal.fields
    assert refused
    assert set(refused) <= {field.name for field in form.fields} | set(sent)
    left = {name: value for name, value in sent.items() if name not in refused}
    return taken(form, left) if left != sent else None


@pytest.mark.parametrize("kinds", KINDS)
@quick
@given(st.data())
async def test_any_value_reaches_the_author_as_the_forms_own_type_or_is_refused_by_name(
    kinds: str, data: Any
) -> None:
    elements = data.draw(models(kinds))
    agent, seen = author_of(elements)
    form = read_form(over_http(*elements))
    sent = data.draw(answers_to(form.fields) | st.dictionaries(strays, anything, max_size=2))

    posted = taken(form, sent)
    if posted is None:
        return
    with pytest.raises(FieldsInvalid):
        await agent.launch("/", posted, SALE)

    [inputs] = seen
    assert inputs == await agent.inputs("/", posted)
    named = [each for each in elements if getattr(each, "name", None)]
    assert set(inputs) == {each.name for each in named}
    for each in named:
        check(each, inputs[each.name], [other for other in named if other.name == each.name])
        default = [field.default for field in form.fields if field.name == each.name]
        if is_typed(each) and inputs[each.name] not in ("", *default):
            assert_within(each, inputs[each.name])  # the author's own is not held against a buyer


# --- the types of a form, told a second time ---------------------------------------------------


def is_typed(element: Any) -> bool:
    """Whether a buyer says it in words of his own."""
    listed = F.Action, F.Checkbox, F.InputFiles, F.Select, forms.InputRadio, F.Errors
    return not isinstance(element, (*listed, forms.InputHidden))


def check(element: Any, value: Any, namesakes: list[Any]) -> None:
    told = f"{element.type} gives {value!r}"
    if isinstance(element, F.Action):
        assert value is None or value in [other.value or "" for other in namesakes], told
    elif isinstance(element, F.Checkbox):
        assert value is True or (value is False and not element.required), told
    elif isinstance(element, F.InputFiles):
        assert_files(element, value)
    elif isinstance(element, Choices):
        assert value is None, told  # its boxes tell
    elif isinstance(element, F.Select | forms.InputRadio):
        names = [option["name"] for option in facts_of(element)["option"]]
        assert value in names or (value is None and element.type == "radio"), told
        assert value or not element.required, told
    elif element.type == "hidden":
        assert value == (element.value or ""), told
    elif is_typed(element):
        assert isinstance(value, str), told
        assert value or not element.required, told


def facts_of(element: Any) -> Any:
    return undisguised(element.to_dict())


def assert_files(element: Any, value: Any) -> None:
    assert value is None or (isinstance(value, set) and value and all(map(str.strip, value)))
    assert value or not element.required
    assert not value or len(value) == 1 or element.multiple or element.directory


def assert_within(element: Any, value: str) -> None:
    READS.get(element.type, str)(value)
    facts = vars(element)
    if element.type == "number":
        low, high = facts["min_value"], facts["max_value"]
        assert low is None or float(value) >= low
        assert high is None or float(value) <= high
    length = len(value.encode("utf-16-le")) // 2
    assert (facts.get("min_length") or 0) <= length <= (facts.get("max_length") or length)
    assert element.type == "textarea" or len(value.splitlines()) <= 1 or "\n" not in value


def matching(pattern: str) -> Callable[[str], Any]:
    def read(text: str) -> None:
        assert re.fullmatch(pattern, text), text

    return read


READS: dict[str, Callable[[str], Any]] = {
    "number": float,
    "range": float,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime-local": datetime.fromisoformat,
    "month": lambda text: date.fromisoformat(f"{text}-01"),
    "week": lambda text: date.fromisocalendar(int(text[:4]), int(text.partition("-W")[2]), 1),
    "color": matching("#[0-9a-f]{6}"),
    "email": matching("[^@ ]+@[^@ ]+"),
    "url": matching("[a-zA-Z][a-zA-Z0-9+.-]*:[^ ]+"),
}
