"""A buyer made of the pip package ``masumi`` and nothing of ours; it runs in that package's own
environment, takes its orders as JSON from standard input and prints what it saw of each.

Its check of an input wants a text for each note of a schema (``none``), so it sends one.
"""

import asyncio
import json
import sys
import time
import traceback
from typing import Any

import aiohttp
from masumi import (
    AvailabilityResponse,
    Config,
    InputSchemaResponse,
    Purchase,
    StartJobResponse,
    StatusResponse,
    create_masumi_input_hash,
    create_masumi_output_hash,
    validate_input_data,
)
from masumi.models import ProvideInputResponse

PATIENCE = 90.0
TIMES = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
FINAL = ("ResultSubmitted", "Withdrawn")


async def main(orders: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    async with aiohttp.ClientSession(raise_for_status=True) as http:
        sales = (one(http, order) for order in orders.values())
        return dict(zip(orders, await asyncio.gather(*sales), strict=True))


async def one(http: aiohttp.ClientSession, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return await Sale(http, order).run()
    except Exception:  # noqa: BLE001 - what went wrong is what the test is to show
        return {"trouble": traceback.format_exc()}


class Sale:
    def __init__(self, http: aiohttp.ClientSession, order: dict[str, Any]) -> None:
        self._http, self._order = http, order
        self._agent, self._who = order["agent"], order["identifier"]
        self._said: dict[str, Any] = {"statuses": []}
        self._data: dict[str, Any] = {}

    async def run(self) -> dict[str, Any]:
        self._said["availability"] = (await self._offer()).model_dump()
        started = await self._start()
        purchase = self._purchase(started)
        bought = await purchase.create_purchase_request()
        done = await self._follow(started.id)
        row = await self._row(started.blockchainIdentifier)
        return self._said | {
            "bought": bought["status"],
            "input hashes": [started.input_hash, purchase.input_hash, row["inputHash"]],
            "result": done.result,
            "result hashes": [
                create_masumi_output_hash(done.result, self._who),
                row["resultHash"],
            ],
            "state": row["onChainState"],
        }

    async def _offer(self) -> AvailabilityResponse:
        schema = await self._get("input_schema")
        InputSchemaResponse(**schema)
        self._data = filled(self._order["input"], schema)
        return AvailabilityResponse(**await self._get("availability"))

    async def _start(self) -> StartJobResponse:
        body = {"identifier_from_purchaser": self._who, "input_data": self._data}
        return StartJobResponse(**await self._post("start_job", body))

    def _purchase(self, started: StartJobResponse) -> Purchase:
        config = Config(self._order["node"], self._order["token"])
        pay_by, submit, unlock, dispute = (getattr(started, name) for name in TIMES)
        return Purchase(
            config,
            blockchain_identifier=started.blockchainIdentifier,
            seller_vkey=started.sellerVKey,
            agent_identifier=started.agentIdentifier,
            pay_by_time=pay_by,
            submit_result_time=submit,
            unlock_time=unlock,
            external_dispute_unlock_time=dispute,
            identifier_from_purchaser=started.identifierFromPurchaser,
            input_data=self._data,
        )

    async def _follow(self, job_id: str) -> StatusResponse:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            standing = StatusResponse(**await self._get("status", job_id=job_id))
            if standing.status not in self._said["statuses"][-1:]:
                self._said["statuses"].append(standing.status)
            if standing.status in ("completed", "failed"):
                return standing
            if standing.status == "awaiting_input":
                await self._answer(job_id, standing)
            await asyncio.sleep(0.2)
        raise TimeoutError(f"{job_id} is {standing.status}")

    async def _answer(self, job_id: str, standing: StatusResponse) -> None:
        """As the package's own ``ProvideInputRequest`` has it: without a hash or a status id."""
        data = filled(self._order["answer"], standing.input_schema)
        body = {"job_id": job_id, "input_data": data}
        answered = ProvideInputResponse(**await self._post("provide_input", body))
        ours = create_masumi_input_hash(data, self._who)
        self._said["answer hashes"] = [answered.input_hash, ours]

    async def _row(self, identifier: str) -> dict[str, Any]:
        """The purchase at the node, once its result is on chain."""
        url = f"{self._order['node']}/purchase/resolve-blockchain-identifier"
        body = {"network": "Preprod", "blockchainIdentifier": identifier}
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            headers = {"token": self._order["token"]}
            async with self._http.post(url, json=body, headers=headers) as answer:
                row = (await answer.json())["data"]
            if row["onChainState"] in FINAL:
                return dict(row)
            await asyncio.sleep(0.2)
        raise TimeoutError(f"the purchase is {row['onChainState']}")

    async def _get(self, action: str, **query: str) -> dict[str, Any]:
        async with self._http.get(f"{self._agent}/{action}", params=query) as answer:
            return dict(await answer.json())

    async def _post(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._http.post(f"{self._agent}/{action}", json=body) as answer:
            return dict(await answer.json())


def filled(data: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What the package's own check takes: it wants a text for each note as well."""
    notes = {field["id"]: "read" for field in schema["input_data"] if field["type"] == "none"}
    validate_input_data(notes | data, schema)
    return notes | data


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
