"""The one environment that all parts of a stack are started with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from masumi_sumi import ray_token
from masumi_sumi.cli.ports import LOOPBACK
from masumi_sumi.gateway_proof import APP_SECRET
from masumi_sumi.settings import SANDBOX_TOKEN, NodeSettings, Settings

RAY = {
    ray_token.MODE: "token",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""The first lets nobody in without the cluster's token. The second binds Ray to loopback: a Ray
port is a shell for whoever reaches it. A driver outside the stack needs both, or it waits in vain.
The third spares idle workers, which detached actors never use."""

GATEWAY_SECRET = "SUMI_GATEWAY_SECRET"

LEFT_OUT = frozenset({"RAY_ADDRESS", ray_token.TOKEN, GATEWAY_SECRET, APP_SECRET})
"""A foreign Ray's address and token, and secrets that no part but the gateway may have."""


def reachable(host: str) -> str:
    """The host to connect to, for a host to bind to."""
    return LOOPBACK if host in ("0.0.0.0", "::", "localhost") else host


def sandbox_url(settings: Settings) -> str:
    """Return where the stack's own sandbox is: at loopback, whatever the stack listens at."""
    return f"http://{LOOPBACK}:{settings.sandbox_port}/api/v1"


def with_sandbox(settings: Settings, poll: float) -> Settings:
    """The settings with the sandbox as the node of Preprod, asked every ``poll`` seconds."""
    sandbox = {"url": sandbox_url(settings), "token": SANDBOX_TOKEN, "poll": poll}
    node = NodeSettings.model_validate(sandbox)
    return settings.model_copy(update={"nodes": {**settings.nodes, "Preprod": node}})


def get_client_environment(settings: Settings) -> dict[str, str]:
    """Return what a command needs that talks to the stack's Ray from outside."""
    dashboard = f"http://{LOOPBACK}:{settings.dashboard_port}"
    return {
        **RAY,
        **ray_token.get_token_environment(settings.data_dir),
        "RAY_ADDRESS": f"{LOOPBACK}:{settings.ray_port}",
        "RAY_DASHBOARD_ADDRESS": dashboard,
        "RAY_API_SERVER_ADDRESS": dashboard,
    }


WORKER_PRELOAD = {"RAY_preload_python_modules": "masumi_sumi.runtime.worker_preload"}


def environment(settings: Settings, environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """``environ`` without a foreign Ray's address and token, with our settings and Kodosumi's.

    ``folder`` becomes importable in every part, so that ``module:attr`` of an app is found.
    """
    kept = {key: value for key, value in environ.items() if key not in LEFT_OUT}
    path = [str(folder), *kept.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **kept,
        **RAY,
        **WORKER_PRELOAD,
        **ray_token.get_token_environment(settings.data_dir),
        **_kodosumi(settings),
        **_sumi(settings),
        "FORWARDED_ALLOW_IPS": "",  # else Serve believes whoever connects from this machine
        "NO_PROXY": ",".join(filter(None, [kept.get("NO_PROXY", ""), LOOPBACK, "localhost"])),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, path))),
    }


def gateway_environment(settings: Settings) -> dict[str, str]:
    """What the gateway's process alone is told, where an operator set it: else it reads a file."""
    secret = settings.gateway_secret.get_secret_value()
    return {GATEWAY_SECRET: secret} if secret else {}


def driver(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of what connects to Ray, as opposed to Ray's own: with Ray's address.

    Kodosumi's spooler lists actors without naming a cluster, and Ray finds none where several run.
    """
    return {**environ, "RAY_ADDRESS": environ["KODO_RAY_SERVER"]}


def _kodosumi(settings: Settings) -> dict[str, str]:
    data = settings.data_dir
    return {
        "KODO_RAY_SERVER": f"{LOOPBACK}:{settings.ray_port}",
        "KODO_RAY_DASHBOARD": f"http://{LOOPBACK}:{settings.dashboard_port}",
        "KODO_APP_SERVER": f"http://{settings.host}:{settings.panel_port}",
        "KODO_EXEC_DIR": str(data / "execution"),
        "KODO_UPLOAD_DIR": str(data / "uploads"),
        "KODO_ADMIN_DATABASE": f"sqlite+aiosqlite:///{data / 'admin.db'}",
        "KODO_YAML_BASE": str(data / "config" / "config.yaml"),
        "KODO_SPOOLER_LOG_FILE": str(data / "logs" / "kodosumi-spooler.log"),
        "KODO_APP_LOG_FILE": str(data / "logs" / "kodosumi-panel.log"),
    }


def _sumi(settings: Settings) -> dict[str, str]:
    nodes = {network: _node(node) for network, node in settings.nodes.items()}
    hidden = {"nodes", "agent_key", "gateway_secret", "app_secret"}
    plain = settings.model_dump(mode="json", exclude=hidden, exclude_none=True)
    values = {f"SUMI_{name.upper()}": str(value) for name, value in plain.items()}
    key = settings.agent_key.get_secret_value()
    return {**values, "SUMI_NODES": json.dumps(nodes), "SUMI_AGENT_KEY": key}


def _node(node: NodeSettings) -> dict[str, object]:
    return {**node.model_dump(exclude_none=True), "token": node.token.get_secret_value()}
