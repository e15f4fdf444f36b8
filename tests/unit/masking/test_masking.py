"""Test that secrets, inner hosts and paths go from a text, and that its words stay."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from error_corpus import ORDINARY, SECRETS
from hypothesis import assume, given
from hypothesis import strategies as st

from masumi_sumi.flows import error_text
from masumi_sumi.masking import LARGEST_TEXT, mask_text


@pytest.mark.parametrize(("text", "secrets"), SECRETS)
def test_a_secret_is_hidden(text: str, secrets: list[str]) -> None:
    masked = mask_text(text)

    assert [secret for secret in secrets if secret in masked] == []
    assert mask_text(masked) == masked


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_message_stays_as_it_is(text: str) -> None:
    assert mask_text(text) == text


# --- any secret in any text -----------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
NAMES = [
    "password",
    "DB_PASSWORD",
    "api_key",
    "apiKey",
    "API key",
    "OPENAI_API_KEY",
    "secret",
    "client_secret",
    "aws_secret_access_key",
    "auth_token",
    "token",
    "x-api-key",
    "Pwd",
    "private_key",
    "session_id",
    "credentials",
    "Authorization",
    "passphrase",
    "signingKey",
]
HOSTS = [
    "localhost",
    "db.local",
    "vault.prod.internal",
    "pay.prod.svc",
    "a.svc.cluster.local",
    "10.1.2.3",
    "192.168.0.77",
    "172.16.5.4",
    "8.8.4.4",
    "[fe80::1:2]",
    "[2001:db8::77]",
]


def _is_mixed(text: str) -> bool:
    """Words cannot be told from a secret of letters only."""
    return any(c in DIGITS for c in text[1:-1]) and any(c in LETTERS for c in text)


values = st.text(LETTERS + DIGITS + "!#$%*+-._~", min_size=6, max_size=60).filter(_is_mixed)
tokens = st.text(LETTERS + DIGITS, min_size=24, max_size=80).filter(
    lambda text: sum(a.isdigit() != b.isdigit() for a, b in pairwise(text)) > 3
)
names = st.sampled_from(NAMES)
hosts = st.sampled_from(HOSTS)
quotes = st.sampled_from(["", "'", '"', '\\"'])


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return what an exception says with a secret in it, and what nobody may read of it."""
    value, name, host, quote = draw(values), draw(names), draw(hosts), draw(quotes)
    token = draw(tokens)
    shapes: list[tuple[str, list[str]]] = [
        (f"{name}={value}", [value]),
        (f"{name}: {quote}{value}{quote}", [value]),
        (f'{{"{name}": "{value}", "n": 1}}', [value]),
        (f"{{'{name}': '{value}'}}", [value]),
        (f"Bearer {value}", [value]),
        (f"Authorization: Basic {token}==", [token]),
        (f"sk-{token}", [token]),
        (f"ghp_{token}", [token]),
        (f"got {token} back", [token]),
        (f"{token.encode().hex()}", [token.encode().hex()]),
        (f"https://{host}/{token}?x={value}", [host, token, value]),
        (f"postgresql://me:{value}@{host}/orders", [value, host]),
        (f"me:{token}@{host}", [token, host]),
        (f"{host}:5432/orders", [host]),
        (f"cannot reach {host} now", [host]),
        (f"redis-{token[:8].lower()}:6379", [f"redis-{token[:8].lower()}"]),
        (f"https://example.com/v1/{token}?key={value}", [token, value]),
        (f"/srv/{token[:6]}/keys/{token[6:12]}.pem", [token[:6] + "/", token[6:12] + ".pem"]),
        (f"~/.config/{token[:9]}", [token[:9]]),
    ]
    return draw(st.sampled_from(shapes))


around = st.text(st.characters(codec="utf-8"), max_size=60)


@given(planted(), around, around)
def test_a_planted_secret_never_survives(
    said: tuple[str, list[str]], before: str, after: str
) -> None:
    text, secrets = said
    assume(not any(secret in before + after for secret in secrets))

    masked = mask_text(f"{before} {text} {after}")
    told = error_text(f"Traceback (most recent call last):\n  File\nValueError: {text} {after}")

    assert [secret for secret in secrets if secret in masked or secret in told] == []
    assert mask_text(masked) == masked


@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_masking_again_changes_nothing(text: str) -> None:
    masked = mask_text(text)
    assert mask_text(masked) == masked
    assert masked.isprintable()


words = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12), max_size=30)


@given(words)
def test_plain_words_stay(found: list[str]) -> None:
    text = " ".join(found)
    assert mask_text(text).count(" ") == max(0, len(found) - 1)


# --- the cut, and the time ------------------------------------------------------------------------


@pytest.mark.parametrize("shift", range(0, 60, 7))
def test_a_secret_at_the_cut_is_not_told_in_part(shift: int) -> None:
    token = "a1B2" * 15
    text = "x " * ((LARGEST_TEXT - shift) // 2) + token + " and more" * 1000

    assert "a1B2" not in mask_text(text)


HOSTILE = [
    "a",
    "a.",
    "a:",
    "a@",
    "/",
    "\\",
    "//",
    "a/",
    "'",
    '"',
    "(",
    "[",
    "{",
    "=",
    "password",
    "password=",
    "key=",
    "sk-",
    "eyJ",
    "0.",
    "1.1.1.1",
    "::",
    "ab:",
    "-",
    "--",
    "_",
    "A",
    "aB1",
    "http://",
    "http:/",
    "arn:aws:",
    "bearer ",
    "cookie: ",
    "host='",
    "token is ",
    ",",
    "a,",
    "&",
    "a.b/",
    "~",
    "..",
    "-----BEGIN ",
    "\u200b",
    "password 'x",
    "key key ",
    'File "',
    "(a, line ",
    "Traceback (most recent call last)",
    "\x1b[",
    "a_",
    "\n",
    "\n ",
    "é",
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_four_megabytes_of_anything_are_masked_in_a_moment(unit: str) -> None:
    text = unit * (4_000_000 // len(unit))

    began = time.process_time()
    mask_text(text)
    error_text(text)
    error_text(f"Traceback (most recent call last):\n  File\nValueError: {text}")

    assert time.process_time() - began < 5.0


@pytest.mark.parametrize("unit", HOSTILE)
def test_the_work_grows_with_the_text_and_not_with_its_square(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masumi_sumi import masking

    monkeypatch.setattr(masking, "LARGEST_TEXT", 10**9)
    monkeypatch.setattr(masking, "_LONGEST_WORD", 10**9)

    def measure(size: int) -> float:
        text = (unit * size)[:size]
        began = time.process_time()
        mask_text(text)
        return time.process_time() - began

    assert measure(16_000) < 8 * 4 * measure(2_000) + 0.3
