"""``masumi-sumi key``: the key that answers to buyers are signed with."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masumi_sumi.payments.statements import Statement
    from masumi_sumi.settings import Settings

app = typer.Typer(help="The key that answers to buyers are signed with.", no_args_is_help=True)

File = Annotated[
    Path | None, typer.Argument(help="Where to keep it; agent.key in the data folder.")
]


@app.command()
def new(file: File = None) -> None:
    """Make a key, in a file that only you can read, and say what to do with it."""
    from masumi_sumi.cli.foreground import load
    from masumi_sumi.signing import SETTING, AgentKey

    path = (file or load().data_dir / "agent.key").absolute()
    key = AgentKey.make(path)
    print(f"public key {key.public_key}")
    print(f"kept in    {path}")
    print(f"set        {SETTING}={path}")
    print("then       start the stack anew: what buyers answer is signed, and /availability says")
    print("           the public key; masumi-sumi key publish has your selling wallet vouch for it")


@app.command()
def show() -> None:
    """The public key of SUMI_AGENT_KEY."""
    from masumi_sumi.cli.foreground import load

    print(_public_key(load()))


@app.command()
def publish(
    agent: Annotated[str, typer.Argument(metavar="IDENTIFIER", help="As registered.")],
    network: Annotated[str, typer.Option(help="Preprod or Mainnet.")] = "Preprod",
) -> None:
    """Have the agent's selling wallet sign that the key of SUMI_AGENT_KEY is this agent's.

    Prints the wallet's statement as JSON, checked; beside a key in a file it is kept, and
    /availability says it once the app was started anew. It is dated: the node lets it say three
    minutes.
    """
    from masumi_sumi.cli.foreground import load
    from masumi_sumi.payments import statements

    settings = load()
    statement = asyncio.run(_vouched(settings, network, agent, _public_key(settings)))
    file = Path(settings.agent_key.get_secret_value())
    if file.is_absolute():
        statements.keep(statements.file_of(file), agent, statement)
    print(statement.model_dump_json(by_alias=True, indent=2))


def _public_key(settings: Settings) -> str:
    from masumi_sumi.errors import SettingInvalid
    from masumi_sumi.signing import SETTING, AgentKey

    key = AgentKey.of(settings.agent_key.get_secret_value())
    if key is None:
        raise SettingInvalid(SETTING, "", "no key is set (masumi-sumi key new makes one)")
    return key.public_key


async def _vouched(settings: Settings, network: str, agent: str, public_key: str) -> Statement:
    from masumi_sumi.payments.client import NodeClient
    from masumi_sumi.payments.statements import word_of

    node = settings.node(network)
    async with NodeClient(node.url, node.token) as client:
        statement = await client.vouch(agent, public_key)
    word_of(statement, public_key)
    return statement
