from __future__ import annotations

import inspect
import pickle
from collections.abc import Iterator

import pytest

from masumi_sumi import errors
from masumi_sumi.errors import SumiError

FACTS = {
    "value": 5,
    "submit_by": 100.0,
    "needed": 200.0,
    "port": 3001,
    "status": 404,
    "silent": 40.0,
    "errors": {"name": ["is required"], "_global_": []},
    "identifier": "xyz",
}


def classes(root: type[SumiError] = SumiError) -> Iterator[type[SumiError]]:
    yield root
    for below in root.__subclasses__():
        if below.__module__.startswith(f"{errors.__name__}."):
            yield from classes(below)


def an(kind: type[SumiError]) -> SumiError:
    """An error built from a fact for each of its parameters."""
    if kind.__init__ is Exception.__init__:
        return kind()
    names = list(inspect.signature(kind.__init__).parameters)[1:]
    return kind(*(FACTS.get(name, f"some {name}") for name in names))


EVERY = sorted(set(classes()), key=lambda kind: kind.__name__)


def test_all_errors_of_the_module_hang_in_one_tree():
    defined = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, Exception)
    ]

    assert set(defined) == set(EVERY)


def test_long_name_of_what_is_not_there_is_not_repeated_whole():
    assert len(str(errors.UnknownJob("x" * 100_000))) < 200


@pytest.mark.parametrize("kind", EVERY)
def test_an_error_survives_the_way_to_another_process(kind: type[SumiError]):
    error = an(kind)

    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is kind
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


@pytest.mark.parametrize("kind", EVERY)
def test_an_error_is_told_in_one_line(kind: type[SumiError]):
    assert "\n" not in str(an(kind))


def test_input_that_is_refused_names_its_fields():
    refused = [an(kind) for kind in EVERY if issubclass(kind, errors.InputRefused)]

    for error in refused:
        assert isinstance(error, errors.InputRefused)
        assert all(isinstance(reason, str) for why in error.fields.values() for reason in why)
    named = errors.IdentifierInvalid("xyz").fields
    assert list(named) == ["identifier_from_purchaser"]
    assert "xyz" not in str(errors.IdentifierInvalid("xyz"))
