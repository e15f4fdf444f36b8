"""Reading requests field by field, with the real node's sentences for what does not fit.

A reader takes a value and its path and gives the value it read, or adds issues. The issues of
all fields are joined by ``"; "`` into one message.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from masumi_sumi.sandbox.clock import moment
from masumi_sumi.sandbox.errors import Invalid

Issues = list[str]
Reader = Callable[[Any, str, Issues], Any]


class Absent(Enum):
    ABSENT = "undefined"


ABSENT = Absent.ABSENT


@dataclass(frozen=True)
class Field:
    name: str
    read: Reader
    optional: bool = False
    nullable: bool = False
    default: Any = None

    def take(self, data: Mapping[str, Any], path: str, issues: Issues) -> Any:
        value = data.get(self.name, ABSENT)
        if value is ABSENT and self.optional:
            return self.default
        if value is None and self.nullable:
            return None
        return self.read(value, f"{path}{self.name}", issues)


def read(fields: Sequence[Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """All fields by name. Raises Invalid; fields that no schema names are dropped."""
    issues: Issues = []
    values = {field.name: field.take(data, "", issues) for field in fields}
    if issues:
        raise Invalid("; ".join(issues))
    return values


def text(
    low: int = 0,
    high: int | None = None,
    rule: Callable[[str], bool] | None = None,
    broken: str = "",
) -> Reader:
    def take(value: Any, path: str, issues: Issues) -> Any:
        if not isinstance(value, str):
            return _wrong_type("string", value, path, issues)
        if len(value) < low:
            issues.append(f"{path}: Too small: expected string to have >={low} characters")
        if high is not None and len(value) > high:
            issues.append(f"{path}: Too big: expected string to have <={high} characters")
        if rule is not None and not rule(value):
            issues.append(f"{path}: {broken}")
        return value

    return take


def option(*values: str) -> Reader:
    expected = "|".join(f'"{value}"' for value in values)
    said = (
        f"option: expected one of {expected}" if len(values) > 1 else f"input: expected {expected}"
    )

    def take(value: Any, path: str, issues: Issues) -> Any:
        if value not in values:
            issues.append(f"{path}: Invalid {said}")
        return value

    return take


def date(value: Any, path: str, issues: Issues) -> Any:
    """Epoch milliseconds of ISO text."""
    found = moment(value) if isinstance(value, str) else None
    if found is None:
        issues.append(f"{path}: Invalid input")
    return found


def number(low: int, high: int, *, coerce: bool = False) -> Reader:
    def take(value: Any, path: str, issues: Issues) -> Any:
        found = _number(value) if coerce else value
        if not isinstance(found, int | float) or isinstance(found, bool) or math.isnan(found):
            return _wrong_type("number", found, path, issues)
        if found < low:
            issues.append(f"{path}: Too small: expected number to be >={low}")
        if found > high:
            issues.append(f"{path}: Too big: expected number to be <={high}")
        return int(found) if math.isfinite(found) else found

    return take


def boolean(value: Any, path: str, issues: Issues) -> Any:
    return value if isinstance(value, bool) else _wrong_type("boolean", value, path, issues)


def flag(value: Any, path: str, issues: Issues) -> Any:
    """``"true"`` or ``"false"`` as text; a JSON boolean is refused."""
    if not isinstance(value, str):
        return _wrong_type("string", value, path, issues)
    return value.lower() == "true"


def record(*fields: Field) -> Reader:
    def take(value: Any, path: str, issues: Issues) -> Any:
        if not isinstance(value, dict):
            return _wrong_type("object", value, path, issues)
        return {field.name: field.take(value, f"{path}.", issues) for field in fields}

    return take


def items(reader: Reader, low: int = 0, high: int | None = None) -> Reader:
    def take(value: Any, path: str, issues: Issues) -> Any:
        if not isinstance(value, list):
            return _wrong_type("array", value, path, issues)
        if len(value) < low:
            issues.append(f"{path}: Too small: expected array to have >={low} items")
        if high is not None and len(value) > high:
            issues.append(f"{path}: Too big: expected array to have <={high} items")
        return [reader(item, f"{path}[{i}]", issues) for i, item in enumerate(value)]

    return take


def _number(value: Any) -> float:
    try:
        return float(value) if value else 0.0
    except (TypeError, ValueError):
        return math.nan


def _wrong_type(expected: str, value: Any, path: str, issues: Issues) -> None:
    issues.append(f"{path}: Invalid input: expected {expected}, received {_type_name(value)}")


def _type_name(value: Any) -> str:
    if value is ABSENT:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    names = {int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]
