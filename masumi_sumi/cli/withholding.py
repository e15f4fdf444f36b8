"""Give each part of the stack the secrets that it needs, and authors' code none.

Every process below Ray inherits the environment of the Ray head, so an author's code can read all
of it. A withheld name is set to an empty text and not only left out: Kodosumi loads ``.env`` into
the environment of every process that imports it, but only names that are not set yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from masumi_sumi.cli.environment import gateway_environment
from masumi_sumi.db import database_url
from masumi_sumi.payments import statements
from masumi_sumi.settings import AGENT_SEED, NodeSettings, Settings
from masumi_sumi.signing import AgentKey

Environment = dict[str, str]

OF_THE_PANEL = frozenset(
    {
        "KODO_SECRET_KEY",
        "KODO_ADMIN_PASSWORD",
        "KODO_SSL_KEYFILE_PASSWORD",
        "KODOSUMI_API_KEY",
        "SUMI_GATEWAY_SECRET",
    }
)
OF_THE_SUPERVISOR = frozenset({"SUMI_AGENT_KEY", *(f"KODO_MASUMI{n}" for n in range(10))})

SHORTEST_COPY, SHORTEST_PART = 8, 20
"""Characters of a secret that is looked for in other variables: as a whole value, and inside of
one. A shorter text is found in a path or a name by chance; the sandbox's token is one."""


def get_secret_names() -> frozenset[str]:
    """Return all names that no author's code may see a value of."""
    fields = Settings.model_fields.items()
    ours = {f"SUMI_{name.upper()}" for name, field in fields if field.annotation is SecretStr}
    return OF_THE_PANEL | OF_THE_SUPERVISOR | ours


def for_supervisor(environ: Mapping[str, str]) -> Environment:
    return {**environ, **_blank(OF_THE_PANEL)}


def for_panel(environ: Mapping[str, str], settings: Settings) -> Environment:
    return {
        **environ,
        **_blank(OF_THE_SUPERVISOR),
        **gateway_environment(settings),
        "SUMI_NODES": _without_tokens(settings),
    }


def for_authors(
    environ: Mapping[str, str], settings: Settings, dotenv: Mapping[str, str | None]
) -> Environment:
    """Return the environment of Ray, and so of all replicas and runners.

    ``dotenv`` is the content of ``.env``. A variable of another name is withheld too when its
    value holds one of our secrets. Raises SettingInvalid when SUMI_AGENT_KEY is no key.
    """
    names = get_secret_names()
    given = {**{name: value or "" for name, value in dotenv.items()}, **environ}
    secrets = _get_secrets(given, settings)
    copies = {name for name, value in given.items() if _holds_any(value, secrets)}
    return {
        **environ,
        **_blank(names | copies),
        **_describe_key(settings),
        "SUMI_NODES": _without_tokens(settings),
        "SUMI_DATABASE_URL": _get_readable_database(settings),
        "SUMI_EXPOSE_DATABASE_URL": "",
    }


def _blank(names: Iterable[str]) -> Environment:
    return dict.fromkeys(names, "")


def _get_secrets(given: Mapping[str, str], settings: Settings) -> set[str]:
    found = {given.get(name, "") for name in get_secret_names() - OF_THE_SUPERVISOR}
    found.add(settings.gateway_secret.get_secret_value())
    found |= {node.token.get_secret_value() for node in settings.nodes.values()}
    if AGENT_SEED.fullmatch(key := settings.agent_key.get_secret_value()):
        found.add(key)
    return {value for value in found if len(value) >= SHORTEST_COPY}


def _holds_any(value: str, secrets: set[str]) -> bool:
    return value in secrets or any(
        secret in value for secret in secrets if len(secret) >= SHORTEST_PART
    )


def _without_tokens(settings: Settings) -> str:
    """The networks and their times, for replicas. Only the supervisor talks to the nodes."""
    return json.dumps({name: _without_token(node) for name, node in settings.nodes.items()})


def _without_token(node: NodeSettings) -> dict[str, object]:
    place = urlsplit(node.url)
    url = place._replace(netloc=place.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return {**node.model_dump(exclude_none=True), "url": url, "token": ""}


def _describe_key(settings: Settings) -> Environment:
    """Name what buyers may see of the signing key. Raises SettingInvalid."""
    setting = settings.agent_key.get_secret_value()
    key = AgentKey.of(setting)
    if key is None:
        return {}
    file = Path(setting)
    kept = {"SUMI_AGENT_STATEMENTS": str(statements.file_of(file))} if file.is_absolute() else {}
    return {"SUMI_AGENT_PUBLIC_KEY": key.public_key, **kept}


def _get_readable_database(settings: Settings) -> str:
    """The job store for replicas. One that wants a password is read through the supervisor.

    A replica takes a SQLite file that is not there as one that is on another machine.
    """
    if database_url(settings.database_url).password is None:
        return settings.database_url
    return f"sqlite+aiosqlite:///{settings.data_dir / 'store-of-the-supervisor.db'}"
