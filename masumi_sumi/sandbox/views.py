"""Rows as the node words them: ISO moments for its own, epoch milliseconds for the deadlines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from masumi_sumi.sandbox.clock import iso
from masumi_sumi.sandbox.cuid import fixed_id
from masumi_sumi.sandbox.model import Action, Fund, Row, Transaction
from masumi_sumi.sandbox.source import PaymentSource

ADA = 1_000_000


def row_view(row: Row, source: PaymentSource, *, history: bool | None = None) -> dict[str, Any]:
    """``history`` None leaves the two lists out, False makes them null, True fills them."""
    return {
        "id": row.id,
        "createdAt": iso(row.created_at),
        "updatedAt": iso(row.updated_at),
        "blockchainIdentifier": row.identifier,
        "agentIdentifier": row.agent_identifier,
        "agentName": row.agent_name,
        "pricingType": row.pricing_type,
        "lastCheckedAt": None,
        "payByTime": str(row.deadlines.pay_by),
        "submitResultTime": str(row.deadlines.submit_result),
        "unlockTime": str(row.deadlines.unlock),
        "externalDisputeUnlockTime": str(row.deadlines.dispute_unlock),
        "collateralReturnLovelace": row.collateral,
        "buyerReturnAddress": row.buyer_return,
        "sellerReturnAddress": row.seller_return,
        "requestedById": row.owner,
        "resultHash": row.result_hash,
        "nextActionLastChangedAt": iso(row.action_changed_at),
        "onChainStateOrResultLastChangedAt": iso(row.state_changed_at),
        "nextActionOrOnChainStateOrResultLastChangedAt": iso(row.changed_at),
        "inputHash": row.input_hash,
        "totalBuyerCardanoFees": row.buyer_fees / ADA if row.buyer_fees else 0,
        "totalSellerCardanoFees": row.seller_fees / ADA if row.seller_fees else 0,
        **_cooldowns(row),
        "onChainState": row.state,
        "NextAction": _action(row, row.action),
        **_histories(row, history),
        "CurrentTransaction": transaction_view(row.transaction),
        _funds_name(row): _funds(row.funds),
        "WithdrawnForSeller": _funds(row.withdrawn_seller),
        "WithdrawnForBuyer": _funds(row.withdrawn_buyer),
        "PaymentSource": {
            "id": source.id,
            "network": source.network,
            "paymentSourceType": source.type,
            "smartContractAddress": source.contract_address,
            "policyId": source.policy_id,
        },
        **_wallets(row, source),
        "metadata": row.metadata,
    }


def raw_purchase_view(row: Row, source: PaymentSource) -> dict[str, Any]:
    """The database row that a repeated POST /purchase gets as ``object``."""
    view = row_view(row, source)
    del view["PaymentSource"]
    action = row.action
    wallet = view["SmartContractWallet"]
    return {
        **view,
        "paymentSourceId": source.id,
        "sellerWalletId": view["SellerWallet"]["id"],
        "smartContractWalletId": wallet["id"] if wallet is not None else None,
        "agentIdentifierSyncedAt": iso(row.created_at),
        "agentNameSyncedAt": iso(row.created_at),
        "sellerCoolDownTime": str(row.seller_cooldown),
        "buyerCoolDownTime": str(row.buyer_cooldown),
        "nextActionId": action.id,
        "currentTransactionId": row.transaction.id if row.transaction is not None else None,
        "isLimitedToHotWallets": False,
        "PaidFunds": [
            {"id": fixed_id(f"{row.id}/{n}"), "amount": fund.amount, "unit": fund.unit}
            for n, fund in enumerate(row.funds)
        ],
        "NextAction": {
            "id": action.id,
            "createdAt": iso(action.created_at),
            "updatedAt": iso(action.updated_at),
            "requestedAction": action.requested,
            "submittedTxHash": None,
            "errorType": action.error_type,
            "errorNote": action.error_note,
            "purchaseRequestHistoryId": None,
        },
        "TransactionHistory": [],
    }


def source_view(source: PaymentSource, created_at: int) -> dict[str, Any]:
    """An element of ``data.PaymentSources``."""
    receiver = source.fee_receiver
    return {
        "id": source.id,
        "createdAt": iso(created_at),
        "updatedAt": iso(created_at),
        "network": source.network,
        "paymentSourceType": source.type,
        "requiredAdminSignatures": source.admin_signatures,
        "policyId": source.policy_id,
        "smartContractAddress": source.contract_address,
        "lastIdentifierChecked": None,
        "lastCheckedAt": None,
        "AdminWallets": [
            {"walletAddress": wallet.address, "order": order}
            for order, wallet in enumerate(source.admins, start=1)
        ],
        "FeeReceiverNetworkWallet": {"walletAddress": receiver} if receiver else None,
        "feeRatePermille": source.fee_permille,
    }


def transaction_view(transaction: Transaction | None) -> dict[str, Any] | None:
    if transaction is None:
        return None
    return {
        "id": transaction.id,
        "createdAt": iso(transaction.created_at),
        "updatedAt": iso(transaction.updated_at),
        "fees": transaction.fees,
        "blockHeight": transaction.block_height,
        "blockTime": transaction.block_time,
        "txHash": transaction.tx_hash,
        "status": transaction.status,
        "previousOnChainState": transaction.previous,
        "newOnChainState": transaction.new,
        "confirmations": transaction.confirmations,
    }


def _funds_name(row: Row) -> str:
    return "RequestedFunds" if row.side == "payment" else "PaidFunds"


def _funds(funds: Iterable[Fund]) -> list[dict[str, str]]:
    return [{"amount": fund.amount, "unit": fund.unit} for fund in funds]


def _action(row: Row, action: Action) -> dict[str, Any]:
    view = {
        "requestedAction": action.requested,
        "errorType": action.error_type,
        "errorNote": action.error_note,
    }
    return view | {"resultHash": action.result_hash} if row.side == "payment" else view


def _cooldowns(row: Row) -> dict[str, int]:
    own, other = row.seller_cooldown, row.buyer_cooldown
    if row.side == "purchase":
        own, other = other, own
    return {"cooldownTime": own, "cooldownTimeOtherParty": other}


def _histories(row: Row, history: bool | None) -> dict[str, Any]:
    if history is None:
        return {}
    if not history:
        return {"ActionHistory": None, "TransactionHistory": None}
    actions = [
        {
            "id": action.id,
            "createdAt": iso(action.created_at),
            "updatedAt": iso(action.updated_at),
            "submittedTxHash": None,
            **_action(row, action),
        }
        for action in row.actions
    ]
    past = [transaction_view(transaction) for transaction in row.transactions]
    return {"ActionHistory": actions, "TransactionHistory": past}


def _wallets(row: Row, source: PaymentSource) -> dict[str, Any]:
    buyer = row.buyer_vkey
    if row.side == "payment":
        return {
            "BuyerWallet": {"id": fixed_id(buyer), "walletVkey": buyer} if buyer else None,
            "SmartContractWallet": {
                "id": source.selling.id,
                "walletVkey": source.selling.vkey,
                "walletAddress": source.selling.address,
            },
        }
    hot = source.purchasing
    return {
        "SellerWallet": {"id": fixed_id(row.seller_vkey), "walletVkey": row.seller_vkey},
        "SmartContractWallet": (
            {"id": hot.id, "walletVkey": hot.vkey, "walletAddress": hot.address} if buyer else None
        ),
    }
