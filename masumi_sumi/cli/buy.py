"""``masumi-sumi buy`` and ``refund``: an agent's buyer at the terminal, or one for machines."""

from __future__ import annotations

from typing import Annotated

import typer

Url = Annotated[str, typer.Argument(metavar="URL", help="The agent's MIP-003 address.")]
Pairs = list[str] | None
Network = Annotated[str, typer.Option(help="Preprod or Mainnet.")]
Node = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The payment node; SUMI_NODES, or else the sandbox here."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="SUMI_BUYER_TOKEN", help="Its key; that of SUMI_NODES for its own node."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per event, no questions.")]


def buy(
    url: Url,
    inputs: Annotated[Pairs, typer.Option("--input", "-i", metavar="KEY=VALUE")] = None,
    input_json: Annotated[
        str | None, typer.Option(metavar="FILE", help="An object of values; - reads it here.")
    ] = None,
    answers: Annotated[
        Pairs,
        typer.Option("--answer", "-a", metavar="KEY=VALUE", help="If the agent asks for KEY."),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(metavar="IDENTIFIER", help="The only agent to buy from.")
    ] = None,
    network: Network = "Preprod",
    node: Node = None,
    token: Token = None,
    max_price: Annotated[
        Pairs, typer.Option(metavar="AMOUNT", help="As 10ADA; nothing dearer is bought.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Pay without asking.")] = False,
    json: Json = False,
) -> None:
    """Hire the agent at URL: fill in, verify, pay, follow, answer, verify the result.

    Ends with 0 for a verified result, 2 for something to correct first, 3 for terms that were
    refused (nothing was paid), 1 for a sale that went wrong; the money is asked back then.
    """
    from masumi_sumi.cli.purchase import Order, run_buy

    order = Order(
        url=url,
        inputs=tuple(inputs or ()),
        input_json=input_json,
        answers=tuple(answers or ()),
        agent=agent or "",
        network=network,
        node=node,
        token=token,
        max_price=tuple(max_price or ()),
        yes=yes,
        json=json,
    )
    raise typer.Exit(run_buy(order))


def refund(
    blockchain_identifier: Annotated[str, typer.Argument(help="Of the purchase, as buy told it.")],
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Take the wish back (V2: let the seller be paid).")
    ] = False,
    network: Network = "Preprod",
    node: Node = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Ask the money of a purchase back."""
    from masumi_sumi.cli.purchase import run_refund

    raise typer.Exit(
        run_refund(blockchain_identifier, network, cancel=cancel, node=node, token=token, json=json)
    )
