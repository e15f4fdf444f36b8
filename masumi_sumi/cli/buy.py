"""``masumi-sumi buy``, ``resume``, ``refund``: a buyer at the terminal, or for machines."""

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

Answers = Annotated[
    Pairs, typer.Option("--answer", "-a", metavar="KEY=VALUE", help="If the agent asks for KEY.")
]
MaxPrice = Annotated[
    Pairs, typer.Option(metavar="AMOUNT", help="As 10ADA; nothing dearer is bought.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Pay without asking.")]
AllowWarnings = Annotated[
    bool,
    typer.Option(
        "--allow-warnings",
        help="With --yes or --json: pay although it is unclear whose agent this is.",
    ),
]


def buy(
    url: Url,
    inputs: Annotated[Pairs, typer.Option("--input", "-i", metavar="KEY=VALUE")] = None,
    input_json: Annotated[
        str | None, typer.Option(metavar="FILE", help="An object of values; - reads it here.")
    ] = None,
    answers: Answers = None,
    agent: Annotated[
        str | None, typer.Option(metavar="IDENTIFIER", help="The only agent to buy from.")
    ] = None,
    network: Network = "Preprod",
    node: Node = None,
    token: Token = None,
    max_price: MaxPrice = None,
    yes: Yes = False,
    allow_warnings: AllowWarnings = False,
    json: Json = False,
) -> None:
    """Hire the agent at URL: fill in, verify, pay, follow, answer, verify the result.

    Ends with 0 for a verified result, 2 for something to correct first, 3 for terms that were
    refused (nothing was paid), 1 for a sale that went wrong; the money is asked back then. What
    is interrupted is taken up by resume.
    """
    from masumi_sumi.cli.purchase import Manner, Order, run_buy

    order = Order(url, tuple(inputs or ()), input_json, agent or "", network)
    manner = Manner(
        answers=tuple(answers or ()),
        node=node,
        token=token,
        max_price=tuple(max_price or ()),
        yes=yes,
        allow_warnings=allow_warnings,
        json=json,
    )
    raise typer.Exit(run_buy(order, manner))


def resume(
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="Without it: what is unfinished.")
    ] = None,
    answers: Answers = None,
    node: Annotated[
        str | None, typer.Option(metavar="URL", help="The node of then, with a login if it has.")
    ] = None,
    token: Token = None,
    max_price: MaxPrice = None,
    yes: Yes = False,
    allow_warnings: AllowWarnings = False,
    json: Json = False,
) -> None:
    """Take up a hire whose `buy` was interrupted, and bring it to its end.

    Nothing is paid twice: the node is asked first, and what it never had is paid only if its terms
    still hold. Ends as buy does, and with 2 for a hire that cannot be taken up.
    """
    from masumi_sumi.cli.purchase import Manner, run_resume

    manner = Manner(
        answers=tuple(answers or ()),
        node=node,
        token=token,
        max_price=tuple(max_price or ()),
        yes=yes,
        allow_warnings=allow_warnings,
        json=json,
    )
    raise typer.Exit(run_resume(job, manner))


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
