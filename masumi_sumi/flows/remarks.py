"""Rules that MIP-003 cannot carry, as sentences at the end of a field's description, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from math import prod

from masumi_sumi.flows.attachments import MOST_FILES
from masumi_sumi.flows.choices import split
from masumi_sumi.flows.forms import Field, Form
from masumi_sumi.flows.kinds import NUMERIC, SWITCHES, TEMPORAL, Kind
from masumi_sumi.flows.questions import MOMENTS, Bound, Question, Type
from masumi_sumi.flows.questions import SWITCHES as SWITCH_TYPES
from masumi_sumi.flows.scales import Limit, Scale, number_text, place, shortest

_LONGEST_PATTERN = 200
_MOST_REPEATS = 100_000
"""Of a pattern that a stranger's schema tells: counts within counts cost memory to compile."""

_MINUTE = 60
_MOST = 5
"""Sentences of one field."""

_ENDS = tuple(".!?:;…。！？")  # noqa: RUF001 - full stops of other scripts
_CHECKED = "Must be checked (true)."
_ONE_FILE = "One file."
_MANY_FILES = f"At most {MOST_FILES} files."


def described(field: Field, form: Form) -> str:
    """The author's description, then a sentence for each rule that its type has no place for and
    the author has not put into the same words.

    What every reader of HTML knows of a type is not said: a text is one line, a time goes in
    minutes, a slider's steps are counted from its min.
    """
    return remarked(field.description, _remarks(field, form))


def remarked(own: str, remarks: Iterable[str]) -> str:
    """Sentences after the author's words; none of them twice."""
    own = own.rstrip()
    new = [each for each in remarks if f" {each} " not in f" {own} "]
    if own and new and not own.endswith(_ENDS):
        own += "."
    return " ".join([own, *new] if own else new)


def pattern_told(pattern: str, extent: str = "") -> str:
    """A long one is cut, and halves of characters, which cannot travel, are written out."""
    text = pattern.encode("utf-8", "backslashreplace").decode()
    if len(text) > _LONGEST_PATTERN:
        return f"Matches a pattern that begins with “{text[:_LONGEST_PATTERN]}”."
    return f"Matches the pattern “{text}”{extent}."


def _remarks(field: Field, form: Form) -> Iterator[str]:
    yield from _moments(field.scale) if field.kind in TEMPORAL else _numbers(field)
    if field.scale.step is not None and not _steps_are_told(field):
        yield _steps(field, field.scale.step)
    if field.pattern is not None:
        yield pattern_told(field.pattern.pattern, " from start to end")
    if field.kind is Kind.FILE:
        yield _MANY_FILES if field.many else _ONE_FILE
    if field.kind in SWITCHES and field.required:
        yield _CHECKED
    yield from _default(field)
    yield from _rivals(field, form)


def _numbers(field: Field) -> Iterator[str]:
    low, high = field.scale.low, field.scale.high
    if low is not None and low.natural is None:
        yield f"At least {low.text}."
    if high is not None and high.natural is None:
        yield f"At most {high.text}."


def _moments(scale: Scale) -> Iterator[str]:
    low, high = (_moment(scale.kind, limit) for limit in (scale.low, scale.high))
    if scale.wraps:
        yield f"From {low} over midnight to {high}."
        return
    if low:
        yield f"Not before {low}."
    if high:
        yield f"Not after {high}."


def _moment(kind: Kind, limit: Limit | None) -> str:
    return shortest(kind, limit.text) if limit is not None else ""


def _steps_are_told(field: Field) -> bool:
    scale = field.scale
    if field.kind is Kind.NUMBER:
        return scale.whole and scale.step == 1
    if field.kind is Kind.RANGE:
        low = scale.low
        counted = low is not None and low.natural is not None and low.place == scale.base
        return counted or scale.from_zero
    return scale.step == _MINUTE and scale.from_zero


def _steps(field: Field, step: Fraction) -> str:
    unit = "" if field.kind in NUMERIC else " second" if step == 1 else " seconds"
    start = "" if field.scale.from_zero else f" from {_start(field)}"
    return f"In steps of {number_text(step)}{unit}{start}."


def _start(field: Field) -> str:
    """Where steps begin: at a moment's bound, or else at its default."""
    if field.kind in NUMERIC:
        return number_text(field.scale.base)
    return _moment(field.kind, field.scale.low) or field.default or ""


def _default(field: Field) -> Iterator[str]:
    """What stands where nothing is chosen: an ``option`` has no default, and a placeholder looks
    like a hint.
    """
    if field.kind not in (Kind.SELECT, Kind.BUTTON, Kind.CHOICES):
        return
    values = split(field.default) if field.kind is Kind.CHOICES else [field.default]
    if labels := [label for label in map(field.label_of, values) if label]:
        yield f"Default: {_quoted(labels)}."


def _rivals(field: Field, form: Form) -> Iterator[str]:
    """A form is sent by one of its buttons."""
    if field.kind is not Kind.BUTTON or len(form.buttons) < 2:
        return
    named = _quoted([button.label for button in form.buttons])
    least = "At most" if form.submit else "Exactly"
    yield f"{least} one of {named} is to be chosen."


def _quoted(words: list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)


# --- and back ----------------------------------------------------------------------------------


def readings(question: Question) -> list[Question]:
    """The question as it stands, then with one more of its last sentences taken as a rule each.

    An author may have written such a sentence, so the right reading is the last one that is
    ``described`` in the same words again.
    """
    found = [question]
    while len(found) <= _MOST and (heard := _heard(found[-1])) is not None:
        found.append(heard)
    if question.type is Type.FILE:  # that there may be more is said wherever this is not
        found.insert(1, _one(question))
    return found


def _heard(question: Question) -> Question | None:
    for opening, rest, taken in _SENTENCES:
        own, opened, told = f" {question.description}".rpartition(f" {opening}")
        found = re.fullmatch(rest, told, re.DOTALL) if opened else None
        if found:
            return taken(replace(question, description=own[1:]), *found.groups())
    return None


def _low(question: Question, text: str) -> Question | None:
    """A bound that is a rule already is not told in words too: those are an author's."""
    bound = _bound(question, text) if question.low is None else None
    return replace(question, low=bound) if bound else None


def _high(question: Question, text: str) -> Question | None:
    bound = _bound(question, text) if question.high is None else None
    return replace(question, high=bound) if bound else None


def _span(question: Question, low: str, high: str) -> Question | None:
    first = _low(question, low)
    return _high(first, high) if first else None


def _bound(question: Question, text: str) -> Bound | None:
    kind = Kind(question.type) if question.type in MOMENTS else Kind.NUMBER
    at = place(kind, text)
    return Bound(text, at) if at is not None else None


def _step(question: Question, text: str) -> Question | None:
    step = place(Kind.NUMBER, text)
    return replace(question, step=step) if step is not None and step > 0 else None


def _matching(question: Question, pattern: str) -> Question | None:
    light = len(pattern) <= _LONGEST_PATTERN and _repeats(pattern) <= _MOST_REPEATS
    return replace(question, pattern=pattern) if light else None


def _repeats(pattern: str) -> int:
    """How often its parts may be repeated at most, if all of its counts stand within each other."""
    counts = (re.findall(r"\d+", braced) for braced in re.findall(r"\{([^{}]*)\}", pattern))
    return prod(max([1, *map(int, count)]) for count in counts)


def _one(question: Question) -> Question:
    return replace(question, high=Bound("1", Fraction(1)))


def _as_it_is(question: Question) -> Question:
    return question


def _checked(question: Question) -> Question | None:
    return question if question.required and question.type in SWITCH_TYPES else None


def _chosen(question: Question, words: str) -> Question | None:
    labels = words.split("”, “")
    known = set(labels) <= set(question.values)
    return replace(question, default=labels) if known else None


_SENTENCES: tuple[tuple[str, str, Callable[..., Question | None]], ...] = (
    ("At least ", r"(\S+)\.", _low),
    ("At most ", r"(\S+)\.", _high),
    ("Not before ", r"(\S+)\.", _low),
    ("Not after ", r"(\S+)\.", _high),
    ("From ", r"(\S+) over midnight to (\S+)\.", _span),
    ("In steps of ", r"(\S+?)(?: seconds?)?(?: from \S+)?\.", _step),
    ("Matches the pattern “", r"(.*)” from start to end\.", _matching),
    (_ONE_FILE, "", _one),
    (_MANY_FILES, "", _as_it_is),
    (_CHECKED, "", _checked),
    ("Default: “", r"(.*)”\.", _chosen),
)
"""How a sentence opens, what follows, and what it says."""
