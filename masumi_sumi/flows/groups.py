"""Several forms at once: one schema in groups, and one flat answer parted over them again.

A field's id must be unique over a whole schema. An id that two of the forms have is served with
its group's in front, ``<group>:<id>``; all others stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from masumi_sumi.errors import FieldsInvalid
from masumi_sumi.flows.forms import Field, Form, Note
from masumi_sumi.flows.schema import mip003_schema
from masumi_sumi.flows.submission import entries, strays


@dataclass(frozen=True, slots=True)
class Group:
    """A form among others. ``served`` are the ids that what is asked has in the common schema, by
    its own; ``grouped`` fills it.
    """

    id: str
    title: str
    form: Form
    served: Mapping[str, str] = field(default_factory=dict)

    def own(self, data: Any) -> Any:
        """An answer to this form alone, with its own ids, whichever of the two were sent."""
        if isinstance(data, str):
            return data
        own = {served: name for name, served in self.served.items()}
        return _renamed(entries(data), own)

    def told(self, errors: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Reasons by field, under the ids that the buyer knows."""
        return {self.served.get(name, name): list(reasons) for name, reasons in errors.items()}


def grouped(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups with their served ids: the same for the same groups in this order."""
    known = Counter(name for group in groups for name in _ids(group.form))
    taken = set(known)
    return tuple(replace(group, served=_served(group, known, taken)) for group in groups)


def groups_schema(groups: Sequence[Group]) -> dict[str, Any]:
    """``{"input_groups": [{"id", "title", "input_data"}]}`` of what ``grouped`` returned."""
    return {"input_groups": [_group_schema(group) for group in groups]}


def parted(groups: Sequence[Group], data: Any) -> dict[str, dict[str, Any]]:
    """A flat answer to all of them: the answer to each by group id, with the form's own ids.

    Raises FieldsInvalid for an id that none has, BodyUnreadable for what is no object.
    """
    sent = entries(data)
    known = {served for group in groups for served in group.served.values()}
    if unknown := strays(set(sent) - known):
        raise FieldsInvalid(unknown)
    return {
        group.id: {own: sent[served] for own, served in group.served.items() if served in sent}
        for group in groups
    }


def _ids(form: Form) -> list[str]:
    """Of all that the form's schema has."""
    served = (item for item in form.items if isinstance(item, Note) or item.served)
    return [item.name if isinstance(item, Field) else item.id for item in served]


def _served(group: Group, known: Mapping[str, int], taken: set[str]) -> dict[str, str]:
    served = {}
    for own in _ids(group.form):
        name = own
        while known[own] > 1 and name in taken:
            name = f"{group.id}:{name}"
        taken.add(name)
        served[own] = name
    return served


def _group_schema(group: Group) -> dict[str, Any]:
    items = tuple(_named(item, group.served) for item in group.form.items)
    schema = mip003_schema(replace(group.form, items=items))
    return {"id": group.id, "title": group.title, **schema}


def _named(item: Field | Note, served: Mapping[str, str]) -> Field | Note:
    if isinstance(item, Field):
        return replace(item, name=served.get(item.name, item.name))
    return replace(item, id=served[item.id])


def _renamed(sent: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for name, value in sent.items():
        if own.get(name, name) in answer:
            raise FieldsInvalid({name: ["is sent twice"]})
        answer[own.get(name, name)] = value
    return answer
