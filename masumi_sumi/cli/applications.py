"""Applications on Ray Serve: what an operator names becomes Serve's configuration, and is deployed
through Serve's REST API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from masumi_sumi.cli.environment import reachable
from masumi_sumi.cli.failures import DeployFailed, ServeSilent
from masumi_sumi.cli.loopback import request
from masumi_sumi.cli.steps import retry
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.gateway_proof import add_app_secret, mask_app_secrets

BUILDER = "masumi_sumi.plugin:application"
CONFIG = "serve_config.yaml"
PATH = "/api/serve/applications/"
PUT_SECONDS = 60.0
"""How long Ray Serve may answer nothing that can be read before a deployment has failed."""

TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Document = dict[str, Any]
"""A piece of Ray Serve's own configuration, which is Serve's to validate."""


@dataclass(frozen=True)
class Application:
    name: str
    route: str
    document: Document = field(repr=False)


def parse(named: Iterable[str]) -> tuple[Application, ...]:
    """Applications from import paths (``module:attr``) and files of Ray Serve's YAML form.

    Raises SettingInvalid for anything else, and for two applications of one name.
    """
    found: dict[str, Application] = {}
    for word in named:
        for application in _parse_one(word):
            if application.name in found:
                rule = f"another application is named {application.name} too: name them in a YAML"
                raise SettingInvalid("APP", word, rule)
            found[application.name] = application
    return tuple(found.values())


def _parse_one(word: str) -> list[Application]:
    if word.endswith((".yaml", ".yml")):
        return _parse_file(Path(word))
    if not TARGET.fullmatch(word):
        raise SettingInvalid("APP", word, "expected module:attribute or a YAML file")
    name = word.partition(":")[0].rpartition(".")[2].replace("_", "-")
    document = {
        "name": name,
        "route_prefix": f"/{name}",
        "import_path": BUILDER,
        "args": {"target": word},
    }
    return [Application(name, f"/{name}", document)]


def _parse_file(path: Path) -> list[Application]:
    documents = read_config(path).get("applications")
    if not isinstance(documents, list) or not all(isinstance(each, dict) for each in documents):
        raise SettingInvalid("APP", str(path), 'expected a list under "applications"')
    return [
        Application(each.get("name", "default"), each.get("route_prefix", "/"), each)
        for each in documents
    ]


def read_config(path: Path) -> Document:
    """A YAML file in the form of Ray Serve's configuration."""
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise SettingInvalid("file", str(path), error.strerror or "unreadable") from error
    except yaml.YAMLError as error:
        raise SettingInvalid("file", str(path), f"is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise SettingInvalid("file", str(path), "expected Ray Serve's configuration")
    return document


class Serve:
    """Ray Serve behind its REST API at the dashboard's address.

    ``config`` is what stands beside the applications in Serve's configuration; ``url`` is where
    the applications answer. ``get_headers`` gives what authenticates a request to Ray. Each
    application is told the secret that is derived for it from the one of ``get_secret``.
    """

    def __init__(
        self,
        dashboard: str,
        config: Mapping[str, Any],
        get_headers: Callable[[], dict[str, str]],
        get_secret: Callable[[], str],
    ) -> None:
        self._get_secret = get_secret
        place = config["http_options"]
        self.url = f"http://{reachable(place['host'])}:{place['port']}"
        self._url, self._get_headers = dashboard + PATH, get_headers
        self._config = {key: value for key, value in config.items() if key != "applications"}

    def start(self, check: Callable[[], None] = lambda: None) -> None:
        """Start Serve itself; does nothing to applications that run."""
        self.apply([], check)

    def apply(
        self, applications: Iterable[Application], check: Callable[[], None] = lambda: None
    ) -> None:
        """Ask for these applications, and for those that are there already.

        Asks again while Serve gives no answer that can be read: asking twice changes nothing.
        """
        secret = self._get_secret()
        documents = [add_app_secret(application.document, secret) for application in applications]
        retry(lambda left: self._put(documents, left), seconds=PUT_SECONDS, check=check)

    def runs_any(self) -> bool:
        return bool(self._details())

    def wait(
        self, applications: Iterable[Application], *, seconds: float, check: Callable[[], None]
    ) -> None:
        """Return when all are RUNNING and have their route. ``check`` is called between looks, and
        may raise.

        Raises DeployFailed with Ray's own message.
        """
        applications = tuple(applications)
        until = time.monotonic() + seconds
        while waiting := [each.name for each in applications if not self._is_ready(each)]:
            check()
            if time.monotonic() > until:
                words = f"not ready after {seconds:.0f} s; {self._words(waiting[0])}"
                raise DeployFailed(waiting[0], words)
            time.sleep(0.2)

    def _is_ready(self, application: Application) -> bool:
        return self._is_running(application.name) and self._is_routed(application.route)

    def _is_running(self, name: str) -> bool:
        try:
            status = self._details().get(name, {}).get("status")
        except ServeSilent:
            return False
        if status in ("DEPLOY_FAILED", "UNHEALTHY"):
            raise DeployFailed(name, self._words(name))
        return bool(status == "RUNNING")

    def _is_routed(self, route: str) -> bool:
        try:
            return route in request("GET", f"{self.url}/-/routes").text
        except httpx.HTTPError:
            return False

    def _words(self, name: str) -> str:
        details = self._details().get(name, {})
        said = [details.get("message", "")]
        said += [each.get("message", "") for each in details.get("deployments", {}).values()]
        words = "\n".join(filter(None, said)) or str(details.get("status", "unknown"))
        return mask_app_secrets(words)

    def _put(self, documents: list[Document], timeout: float) -> None:
        present = {
            name: details["deployed_app_config"]
            for name, details in self._details(timeout).items()
            if details.get("deployed_app_config")
        }
        asked = {document.get("name", "default"): document for document in documents}
        body = {**self._config, "applications": list({**present, **asked}.values())}
        answer = self._send("PUT", timeout, json=body)
        if answer.is_server_error:
            words = f"{self._url} answered {answer.status_code}"
            details = mask_app_secrets(answer.text)
            raise ServeSilent(", ".join(asked) or "an application", words, details)
        if answer.status_code != 200:
            raise DeployFailed(", ".join(asked) or "an application", mask_app_secrets(answer.text))

    def _details(self, timeout: float = 60.0) -> dict[str, Document]:
        answer = self._send("GET", timeout)
        if answer.status_code in (401, 403):
            raise DeployFailed("an application", f"Ray refused its token: {answer.text[:200]}")
        try:
            found: dict[str, Document] = answer.json()["applications"]
            return dict(found)
        except (ValueError, KeyError, TypeError) as error:
            words = f"{self._url} answered {answer.status_code}, not as Ray Serve does"
            raise ServeSilent("an application", words, answer.text) from error

    def _send(self, method: str, timeout: float, **content: Any) -> httpx.Response:
        try:
            headers = self._get_headers()
            return request(method, self._url, timeout=timeout, headers=headers, **content)
        except httpx.HTTPError as error:
            words = f"{self._url} gave no answer ({type(error).__name__})"
            raise ServeSilent("an application", words, repr(error)) from error
