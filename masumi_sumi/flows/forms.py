"""The form of a flow as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.scales import BOUNDLESS, Scale


@dataclass(frozen=True, slots=True)
class Choice:
    """``value`` is what the author's handler gets; ``label`` is what a buyer reads, unique."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Note:
    """A text between the fields; it asks for nothing."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form.

    ``default`` is what the panel posts for a field nobody touches; None: it posts nothing.
    Lengths count UTF-16 code units, as browsers and the marketplace do; of several choices,
    those. ``width`` is the display width; only the notebook's dialect calls it a limit.
    ``caption`` stands beside a checkbox. ``many``: it takes several files.
    """

    kind: Kind
    name: str
    label: str
    required: bool = False
    default: str | None = ""
    placeholder: str = ""
    description: str = ""
    caption: str = ""
    min_length: int | None = None
    max_length: int | None = None
    width: int | None = None
    pattern: regex.Pattern[str] | None = None
    scale: Scale = BOUNDLESS
    choices: tuple[Choice, ...] = ()
    accept: str = ""
    many: bool = False

    @property
    def served(self) -> bool:
        """Whether buyers are asked for it: a hidden field without a value cannot be worded, for
        they refuse it as an empty one.
        """
        return self.kind is not Kind.HIDDEN or bool(self.default)

    def label_of(self, value: str | None) -> str:
        """The label of a choice's value; empty if there is no such choice."""
        return next((choice.label for choice in self.choices if choice.value == value), "")


@dataclass(frozen=True, slots=True)
class Form:
    """Fields and notes in the author's order. ``submit``: it can be sent without a named button."""

    items: tuple[Field | Note, ...] = ()
    submit: bool = True

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(item for item in self.items if isinstance(item, Field))

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(item for item in self.items if isinstance(item, Note))

    @property
    def buttons(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.kind is Kind.BUTTON)
