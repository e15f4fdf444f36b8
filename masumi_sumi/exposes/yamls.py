"""YAML as data only: plain values, no aliases, no doubled keys, bounded, with line and column."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from masumi_sumi.errors import DocumentInvalid

MAX_CHARACTERS = 64 * 1024
MAX_DEPTH = 32

_PLAIN = ("map", "seq", "str", "int", "float", "bool", "null")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _PLAIN)
_TIME = "tag:yaml.org,2002:timestamp"


def load(text: object, field: str, limit: int = MAX_CHARACTERS) -> Any:
    """The value of a document of one YAML: mappings with text keys, lists, texts, numbers, flags.

    ``field`` is what messages call it. Raises DocumentInvalid. Dates stay texts.
    """
    if not isinstance(text, str):
        raise DocumentInvalid(field, "must be a text of YAML", 1, 1)
    if len(text) > limit:
        raise DocumentInvalid(field, f"is longer than {limit} characters", 1, 1)
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        seen = text[: error.position]
        line, column = seen.count("\n") + 1, len(seen) - (seen.rfind("\n") + 1) + 1
        raise DocumentInvalid(field, "holds a character that YAML forbids", line, column) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        rule = error.problem or error.context or "is no YAML"
        raise DocumentInvalid(field, rule, *place) from error


def dump(value: Any) -> str:
    """Plain values as YAML for people: in the given order, long texts over several lines."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not taken: write it out", event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"is nested deeper than {MAX_DEPTH} levels", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if node is not None:
            _check(node)
        return node


_Loader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in resolvers if tag != _TIME]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _check(node: Node) -> None:
    if node.tag not in _TAGS:
        raise _refusal(f"{node.tag.rpartition(':')[2]!r} is no plain value", node.start_mark)
    if isinstance(node, ScalarNode):
        _check_scalar(node)
    if isinstance(node, MappingNode):
        _check_keys(node)


def _check_scalar(node: ScalarNode) -> None:
    kind = node.tag.rpartition(":")[2]
    if kind == "str":
        if not _is_storable(node.value):
            raise _refusal("holds a character that no text can have", node.start_mark)
        return
    if kind in ("int", "float") and not _is_number(node, kind):
        raise _refusal(f"{node.value[:40]!r} is no number that JSON knows", node.start_mark)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def _is_number(node: ScalarNode, kind: str) -> bool:
    plain = yaml.SafeLoader("")
    construct = plain.construct_yaml_int if kind == "int" else plain.construct_yaml_float
    try:
        number = construct(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        return False
    return bool(number - number == 0)


def _check_keys(node: MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if key.tag != "tag:yaml.org,2002:str":
            raise _refusal("a key must be a text: put it in quotes", key.start_mark)
        if key.value in seen:
            raise _refusal(f"{key.value!r} is there twice", key.start_mark)
        seen.add(key.value)


def _refusal(rule: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=rule, problem_mark=mark)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
