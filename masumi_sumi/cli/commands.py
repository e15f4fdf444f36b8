"""The commands and their options; each imports what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from masumi_sumi.cli import app_secret, buy, doctor, exposes, keys, login

Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default=False)]
DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept (SUMI_DATA_DIR).")]
Network = Literal["Preprod", "Mainnet"]
Host = Annotated[str | None, typer.Option(help="The address to listen at (SUMI_HOST).")]

app = typer.Typer(
    help="Sell Kodosumi agents on the Masumi network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(exposes.app, name="expose")
app.add_typer(keys.app, name="key")
for command in (
    exposes.boot,
    exposes.shutdown,
    exposes.refresh,
    buy.buy,
    buy.resume,
    buy.refund,
    doctor.doctor,
    app_secret.app_secret,
    login.login,
    login.env,
):
    app.command()(command)


@app.command()
def up(
    apps: Annotated[
        list[str] | None,
        typer.Argument(metavar="[APP]...", help="module:attribute, or a YAML file of Ray Serve."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Ray Serve as a whole; serve_config.yaml if there is one."),
    ] = None,
    data_dir: DataDir = None,
    host: Host = None,
    panel_port: Port = None,
    serve_port: Port = None,
    sandbox_port: Port = None,
    ray_port: Port = None,
    dashboard_port: Port = None,
) -> None:
    """Run a whole stack here until Ctrl-C: Ray, panel, spooler, sandbox, supervisor, APPs.

    Every option has a setting: --panel-port is SUMI_PANEL_PORT.
    """
    from masumi_sumi.cli.foreground import run_stack

    run_stack(
        apps or [],
        config,
        data_dir=data_dir,
        host=host,
        panel_port=panel_port,
        serve_port=serve_port,
        sandbox_port=sandbox_port,
        ray_port=ray_port,
        dashboard_port=dashboard_port,
    )


@app.command()
def down(data_dir: DataDir = None) -> None:
    """End the stack with this data folder, and nothing else, however its `up` ended."""
    from masumi_sumi.cli.foreground import load, stop_recorded

    stop_recorded(load(data_dir=data_dir).data_dir)


@app.command()
def sandbox(
    port: Port = None,
    host: Host = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Listen beyond loopback, with a secret token.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Agents must be registered.")] = False,
    block_seconds: Annotated[float, typer.Option(min=0.01, help="Seconds per block.")] = 2.0,
    confirmations: Annotated[int, typer.Option(min=0, help="Blocks until one counts.")] = 1,
    sync_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds between two looks at the chain; 0: every block.")
    ] = 0.0,
    send_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds between two sendings of results; 0: every block.")
    ] = 0.0,
    results_per_block: Annotated[
        int | None, typer.Option(min=1, help="Results that a wallet sends at once.")
    ] = None,
    safe_recovery: Annotated[
        bool, typer.Option("--safe-recovery", help="Recover errors as the development branch does.")
    ] = False,
    network: Annotated[Network, typer.Option(help="The network that it serves.")] = "Preprod",
    database: Annotated[
        Path | None, typer.Option(help="A SQLite file that keeps the state.", show_default=False)
    ] = None,
) -> None:
    """Run a Masumi payment node without a chain until Ctrl-C."""
    from masumi_sumi.cli.foreground import load, run_sandbox

    run_sandbox(
        load(sandbox_port=port, host=host),
        allow_remote=allow_remote,
        strict=strict,
        block_seconds=block_seconds,
        confirmations=confirmations,
        sync_seconds=sync_seconds,
        send_seconds=send_seconds,
        results_per_block=results_per_block,
        safe_recovery=safe_recovery,
        network=network,
        database=database,
    )


@app.command()
def demo() -> None:
    """Play the whole story here: exposes, boot, a free job, a paid one to its payout."""
    from masumi_sumi.cli.demo import run_demo

    run_demo()
