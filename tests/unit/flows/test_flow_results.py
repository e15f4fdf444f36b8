from __future__ import annotations

import os
from pathlib import Path

import pytest

from masumi_sumi.flows import NO_RESULT, UNTOLD, error_text, result_text, result_value
from masumi_sumi.hashing import result_hash

TEXTS = [
    ('{"Markdown": {"body": "# Hi"}}', "# Hi"),
    ('{"Text": {"body": "hi"}}', "hi"),
    ('{"HTML": {"body": "<b>hi</b>"}}', "<b>hi</b>"),
    ('{"str": "hi"}', "hi"),
    ('{"int": 5}', "5"),
    ('{"int": 0}', "0"),
    ('{"float": 1.5}', "1.5"),
    ('{"bool": true}', "true"),
    ('{"dict": {"b": 1, "a": "ü"}}', '{"a":"ü","b":1}'),
    ('{"dict": {"only": 1}}', '{"only":1}'),
    ('{"Offer": {"price": 3, "unit": null}}', '{"price":3,"unit":null}'),
    ('{"CrewOutput": {"raw": "done", "tasks_output": []}}', "done"),
    ('{"__list__": [{"int": 1}, {"str": "x"}, {"TypeError": "None"}]}', '[1,"x",null]'),
    ('{"__list__": [{"dict": {"b": 1, "a": 2}}]}', '[{"a":2,"b":1}]'),
    ('{"__list__": [{"Markdown": {"body": "a"}}, {"Text": {"body": "b"}}]}', "a\n\nb"),
    ('{"__list__": [{"Markdown": {"body": "a"}}, {"int": 1}]}', '[{"body":"a"},1]'),
    ('{"TypeError": "{1, 2}"}', "{1, 2}"),
    ('{"TypeError": "None"}', NO_RESULT),
    ('{"__list__": []}', NO_RESULT),
    ('{"dict": {}}', NO_RESULT),
    ('{"str": " \\n"}', NO_RESULT),
    ("", NO_RESULT),
    ('{"str": "a\\u0000\\ud800"}', "a\ufffd\ufffd"),
    ('{"dict": {"n": NaN}}', '{"n":null}'),
    ('{"str": "a\\udfff"}', "a\ufffd"),
    ('{"__list__": "x"}', "x"),
    ('{"Markdown": "x"}', "x"),
    ('{"__list__": [{"a": 1, "b": 2}]}', '[{"a":1,"b":2}]'),
    ("plain words", "plain words"),
    ('{"two": 1, "keys": 2}', '{"keys":2,"two":1}'),
]


@pytest.mark.parametrize(("final", "text"), TEXTS)
def test_a_buyer_gets_one_string(final, text):
    assert result_text(final) == text
    assert len(result_hash("prime-valid", result_text(final))) == 64


def test_what_kodosumi_serializes_is_read_back(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from kodosumi.core import response
    from kodosumi.helper import serialize

    assert os.getcwd() == str(tmp_path)
    assert result_text(serialize(response.Markdown("# Hi"))) == "# Hi"
    assert result_text(serialize({"a": [1, 2]})) == '{"a":[1,2]}'
    assert result_text(serialize(None)) == NO_RESULT
    assert result_text(serialize(["a", 1.0])) == '["a",1.0]'
    assert result_value(serialize({"1": 1})) == {"dict": {"1": 1}}


def test_the_notebook_gets_the_payload_itself():
    assert result_value('{"Markdown": {"body": "x"}}') == {"Markdown": {"body": "x"}}
    assert result_value("not json") == {"str": "not json"}
    assert result_value("[1]") == {"list": [1]}


def test_a_payload_too_deep_to_read_is_a_text():
    deep = "[" * 100_000
    lists = '{"__list__":[' * 2_000 + "]}" * 2_000

    assert result_text(deep) == deep
    assert result_text(lists) == lists


# --- failures ----------------------------------------------------------------------------------

FRAME = '  File "/home/me/app/agent.py", line 3, in run\n    go()\n    ~~^^\n'
HEADER = "Traceback (most recent call last):\n"

FAILURES = {
    "one exception": (HEADER + FRAME + "ValueError: bad number\n", "ValueError: bad number"),
    "no message": (HEADER + FRAME + "KeyError\n", "KeyError"),
    "an empty message": (HEADER + FRAME + "ValueError: \n", "ValueError"),
    "a module": (HEADER + FRAME + "my.app.errors.Broken: no\n", "Broken: no"),
    "several lines": (
        HEADER + FRAME + "ValidationError: 1 error\nfield\n  Field required\n",
        "ValidationError: 1 error",
    ),
    "a message that looks like an error": (
        HEADER + FRAME + "ValueError: first\nTypeError: quoted\n",
        "ValueError: first",
    ),
    "a chain": (
        HEADER
        + FRAME
        + "KeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\n"
        + HEADER
        + FRAME
        + "RuntimeError: b\n",
        "RuntimeError: b",
    ),
    "a syntax error": (
        HEADER + '  File "<string>", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n',
        "SyntaxError: invalid syntax",
    ),
    "a syntax error with its file": (
        HEADER + FRAME + "SyntaxError: invalid syntax (agent.py, line 3)\n",
        "SyntaxError: invalid syntax",
    ),
    "a path in the message": (
        HEADER + FRAME + "FileNotFoundError: [Errno 2] No such file: '/home/me/key.txt'\n",
        "FileNotFoundError: [Errno 2] No such file: '[path]'",
    ),
    "a url in the message": (
        HEADER + FRAME + "HTTPError: 404 for https://example.com/a/b\n",
        "HTTPError: 404 for https://example.com",
    ),
    "a remote task": (
        HEADER
        + FRAME
        + "ray.exceptions.RayTaskError(ValueError): "
        + "\x1b[36mray::work()\x1b[39m (pid=1, ip=10.0.0.1)\n"
        + FRAME
        + "ValueError: bad number\n",
        "ValueError: bad number",
    ),
    "a group": (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/a/b.py", line 1, in <module>\n'
        "  |     go()\n"
        "  | ExceptionGroup: many (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | Traceback (most recent call last):\n"
        '    |   File "/a/b.py", line 1, in <module>\n'
        "    | ValueError: inner\n"
        "    +------------------------------------\n",
        "ValueError: inner",
    ),
    "the word itself, hidden": (
        HEADER + FRAME + "ValueError: TraTracebackceback\n",
        "ValueError: Tratraceceback",
    ),
    "a key in a URL": (
        HEADER + FRAME + "HTTPError: 401 for url 'https://api.test:8443/v1/gen?key=SECRET' today\n",
        "HTTPError: 401 for url 'https://api.test:8443' today",
    ),
    "a password in a URL": (
        HEADER + FRAME + "OperationalError: no way to postgresql+asyncpg://me:p/w@db:5432/x\n",
        "OperationalError: no way to postgresql+asyncpg://...",
    ),
    "plain words": ("the lock expired", "the lock expired"),
    "nothing": ("", UNTOLD),
    "only a header": (HEADER, UNTOLD),
    "only a frame": (HEADER + FRAME, UNTOLD),
    "only a file line": ('File "/a/b.py", line 1, in x', UNTOLD),
}


@pytest.mark.parametrize(("text", "told"), FAILURES.values(), ids=FAILURES)
def test_a_buyer_is_told_the_last_exception_and_nothing_of_the_machine(text, told):
    assert error_text(text) == told


def test_a_long_reason_is_cut():
    told = error_text(HEADER + FRAME + "ValueError: " + "x " * 10_000)

    assert len(told) == 300
    assert told.endswith("...")
