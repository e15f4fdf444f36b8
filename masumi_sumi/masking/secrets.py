"""Keys, passwords and tokens: by their names, and by their shapes."""

from __future__ import annotations

import re

from masumi_sumi.masking.words import HIDDEN, NO_VALUES, PROSE

# --- by name --------------------------------------------------------------------------------------

_KEY_OF = (
    r"api|access|private|secret|account|signing|encryption|master|storage|shared|auth|ssh"
    r"|subscription|license|service|client|admin|webhook|node|agent|app|user|deploy|bot|session"
)
_NAME = (
    r"pass(?:word|wd|phrase|code)|pwd|secret(?!ar)|token(?!iz)|credential|authori[sz]ation|cookie|signature|jwt"
    r"|dsn|mnemonic|seed[ _-]?phrase|connection[ _-]?str(?:ing)?|session[ _-]?id|sess(?:id|ion)"
    rf"|(?:{_KEY_OF})[ _.-]?keys?"
)
"""Parts of names whose values are secrets, whatever stands around the part."""

_SHORT_NAME = r"key|pass|auth|sig|pin|otp|sas|nonce|pw"
"""Ends of names that are words too: a secret follows in ``key=...`` and ``"key": ...`` only."""

_START = r"(?<![A-Za-z0-9])"
_REMARK = r"(?: (?:you|we|is|was|id|value|provided|given|used|received|supplied|sent|found)){0,4}"
_LONG = rf"(?:{_NAME})[A-Za-z0-9_-]{{0,40}}+{_REMARK}"
_CLOSED = r"\\{0,4}+[\"'`]|\]"
_SEPARATOR = r" ?(?:=>|:=|==|[:=]) ?"
_QUOTED = r"\\{0,4}(?P<quote>[\"'`])(?:(?!(?P=quote))(?:\\.|[^\\]))*+(?:(?P=quote)|\\?$)"
_BARE = (
    r"(?:\[[^\]]{0,200}+\]?|\{[^}]{0,200}+\}?"
    r"|(?:[^\s,;&\"'`]|,(?! |$)|[;&](?!\w{1,40}=|\s|$)|[\"'`](?=\w))++)"
)
_MASKED = r"\[(?:hidden|host|path)\]"
_SCHEME = r"(?:(?:bearer|basic|token|digest|negotiate|apikey|bot) )?+"

_NAMED_VALUE = re.compile(
    rf"(?P<name>{_LONG}|(?P<short>{_SHORT_NAME}))(?P<closed>{_CLOSED})?+(?P<separator>{_SEPARATOR})"
    rf"(?P<value>{_SCHEME}(?:{_MASKED}|[rbuf]{{0,2}}(?:{_QUOTED}|{_BARE})))",
    re.IGNORECASE,
)
_QUOTED_AFTER_NAME = re.compile(
    rf"{_START}(?P<name>(?:{_NAME})s? (?:(?:is|was|of|named) )?)(?:{_QUOTED})", re.IGNORECASE
)
_AFTER_NAME = re.compile(
    rf"{_START}(?P<name>(?:{_NAME})s? (?:is|was|are|of) )(?P<value>{_MASKED}|[^\s\"'`]++)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?<!\S)(?P<name>--?[A-Za-z0-9-]{{0,40}}?(?:{_NAME}|pass)[A-Za-z0-9-]{{0,20}}+ )[^\s-]\S*+",
    re.IGNORECASE,
)
_SCHEME_VALUE = re.compile(
    rf"{_START}(?P<name>(?P<scheme>bearer|basic|digest|negotiate|apikey)(?: ?[:=] ?| ))"
    rf"(?P<value>{_MASKED}|[^\s,;\"'`<>)}}\]]++)",
    re.IGNORECASE,
)
_COOKIES = re.compile(
    rf"{_START}(?P<name>(?:set-)?cookies?[\"']?: ?)(?P<value>[^\s\"']++.*+)", re.I
)


def mask_named_values(text: str) -> str:
    """Hide what follows the name of a secret: ``password=...``, ``"api_key": "..."``."""
    text = _COOKIES.sub(_mask_sentence, text)
    text = _NAMED_VALUE.sub(_mask_value, text)
    text = _QUOTED_AFTER_NAME.sub(_mask_always, text)
    text = _OPTION.sub(_mask_always, text)
    text = _AFTER_NAME.sub(_mask_unless_word, text)
    return _SCHEME_VALUE.sub(_mask_scheme_value, text)


def _mask_always(found: re.Match[str]) -> str:
    return f"{found['name']}{HIDDEN}"


def _mask_sentence(found: re.Match[str]) -> str:
    return found[0] if _is_prose(found["value"].split(" ")[0]) else f"{found['name']}{HIDDEN}"


def _mask_value(found: re.Match[str]) -> str:
    name, value, closed = found["name"], found["value"], found["closed"] or ""
    is_pair = "=" in found["separator"] or closed
    is_sentence = not is_pair and (bool(found["short"]) or _is_prose(value))
    if is_sentence or _is_count(name, value) or value.lower() in NO_VALUES:
        return found[0]
    return f"{name}{closed}{found['separator']}{HIDDEN}"


def _mask_unless_word(found: re.Match[str]) -> str:
    """``the password is required`` is a sentence: only what is no plain word is hidden."""
    return found[0] if _is_word(found["value"]) else _mask_always(found)


def _mask_scheme_value(found: re.Match[str]) -> str:
    """After "Bearer" a plain word is a secret too, unless it goes on with a sentence."""
    value = found["value"].rstrip(".:!?")
    is_bearer = found["scheme"].lower() == "bearer"
    known = PROSE | {"token", "tokens", "auth"}
    is_sentence = value.lower() in known if is_bearer else _is_word(value) and len(value) < 20
    return found[0] if is_sentence else _mask_always(found)


def _is_prose(value: str) -> bool:
    return value.rstrip(".,;:!?").lower() in PROSE


def _is_word(value: str) -> bool:
    bare = value.rstrip(".,;:!?)")
    return bare.isalpha() and (bare.islower() or bare.istitle())


def _is_count(name: str, value: str) -> bool:
    """Whether it is a number of tokens rather than a token."""
    return "token" in name.lower() and value.rstrip(".").isdigit() and len(value) <= 6


# --- by shape -------------------------------------------------------------------------------------

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}-----.*+")
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk|ak|key|api)[-_][A-Za-z0-9*_.-]{8,}+"
    r"|(?:gh[opsur]|hf|npm|gsk|r8|whsec|shp(?:at|ss|ca)|dop_v1|rpa|xai|lin_api|fw)_[\w*]{8,}+"
    r"|github_pat_\w{8,}+|(?:glpat|glptt|xox[a-z]|xapp|pypi|pplx|tvly|nvapi|sess|tok)-[\w*-]{8,}+"
    r"|(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ABIA|ACCA)[A-Z0-9]{8,}+|AIza[\w-]{10,}+|ya29\.[\w.-]{8,}+"
    r"|EAA[A-Za-z0-9]{20,}+|SG\.[\w-]{8,}+(?:\.[\w-]{4,}+)?|eyJ[\w-]{6,}+(?:\.[\w-]*+){0,4}"
    r"|AGE-SECRET-KEY-\w++|ed25519_sk\w++|[0-9]{6,12}:[A-Za-z0-9_-]{30,}+"
    r")"
)
_RUN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{20,}+")
_WORD = re.compile(
    r"(?:[A-Z]{0,4}[a-z]{2,22}(?:[A-Z]{1,4}[a-z]{2,15}){0,5}[A-Z]{0,4}|[A-Z]{1,12})\d{0,4}"
    r"|\d{1,8}|[a-z]\d{0,3}|\d{1,3}[a-z]{1,2}|"
)
_HEX_LETTERS = re.compile(r"[A-Fa-f]{20}")
_PART_END = re.compile(r"[+/=_-]")


def mask_tokens(text: str) -> str:
    """Hide tokens that begin as a known service's do, and private keys."""
    return _TOKEN.sub(HIDDEN, _KEY_BLOCK.sub(HIDDEN, text))


def mask_runs(text: str) -> str:
    """Hide long runs of mixed characters, as hexadecimal digits and base64 are."""
    return _RUN.sub(lambda found: HIDDEN if is_mixed(found[0]) else found[0], text)


def is_mixed(run: str) -> bool:
    """Whether this is a token rather than words and numbers, as in ``a-name-for-version-2``."""
    if _HEX_LETTERS.search(run):
        return True
    return not all(_WORD.fullmatch(part) for part in _PART_END.split(run))
