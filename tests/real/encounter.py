"""One whole hire of a flow by a buyer of any make: every answer is kept for many tests to examine.

The buyer knows HTTP and JSON, and nothing of ours.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
from buyer_words import ANSWER, INPUT, NAMINGS, WRONG_ANSWERS, WRONG_VALUES, Ware
from desk import Desk
from shop import Hired, Node, until

ENDS = ("completed", "failed")
PLAIN = {"accept-encoding": "identity"}


@dataclass
class Turn:
    """A question and how its buyer names it when answering."""

    naming: str
    before: list[httpx.Response]
    refused: dict[str, httpx.Response]
    answer: httpx.Response
    again: httpx.Response

    @property
    def schema(self) -> Any:
        return self.before[0].json()["input_schema"]


class Encounter:
    """``introduce`` starts nothing; ``hire`` is a job that succeeds, beside one that fails."""

    def __init__(self, url: str, ware: Ware, node: Node, desks: tuple[Desk, Desk]) -> None:
        self.ware, self._node = ware, node
        self.identifier = secrets.token_hex(10)
        self.data = {**INPUT, "desk": str(desks[0].hold().folder)}
        self._desk = desks[0]
        self._failing = {**INPUT, "word": "fail", "desk": str(desks[1].folder)}
        self.answers: list[httpx.Response] = []
        self.refusals: dict[str, httpx.Response] = {}
        self.seen: dict[str, list[httpx.Response]] = {}
        self.turns: list[Turn] = []
        self._http = httpx.Client(
            base_url=f"{url}{ware.flow}", headers=PLAIN, timeout=30.0, trust_env=False
        )

    def action(self, answer: httpx.Response) -> str:
        """Which endpoint of the flow it came from."""
        return answer.request.url.path.removeprefix(self._http.base_url.path).partition("/")[0]

    # --- before a hire -------------------------------------------------------------------------

    def introduce(self) -> None:
        self._node.forget()
        self.availability = self._get("availability")
        self.schema = self._get("input_schema")
        self.demo = self._get("demo")
        for why, body in self._bad_starts().items():
            self.refusals[why] = self._start(**body)
        self.refusals["no JSON"] = self._ask("POST", "start_job", content=b"word=it")
        self.refusals["no object"] = self._ask("POST", "start_job", json=[self.data])
        self.refusals["GET start_job"] = self._get("start_job")
        self.opened_payments = self._node.requests("POST /payment")

    def _bad_starts(self) -> dict[str, dict[str, Any]]:
        """Each wrong in one way, by what is wrong with it."""
        known, data = {"identifier_from_purchaser": self.identifier}, self.data
        bad: dict[str, dict[str, Any]] = {
            f"{name} is {value!r}": {**known, "input_data": {**data, name: value}}
            for name, value in WRONG_VALUES.items()
        }
        bad["no input_data"] = known
        bad["input_data is text"] = {**known, "input_data": "word"}
        bad["an unknown field"] = {**known, "input_data": {**data, "wrong": 1}}
        if self.ware.priced:
            bad["no identifier"] = {"input_data": data}
            bad |= {
                f"identifier {text!r}": {"identifier_from_purchaser": text, "input_data": data}
                for text in ("", "ab" * 6, "ab" * 14, "not hex at all!!")
            }
        return bad

    def half_wrong(self, body: dict[str, Any], **fields: Any) -> httpx.Response:
        """A start in other words that fails for its ``desk`` alone if all of it is understood."""
        data = {**self.data, **fields, "desk": [7]}
        pairs = [{"key": name, "value": value} for name, value in data.items()]
        names = {"identifier": self.identifier, "data": data, "pairs": pairs}
        return self._start(**{key: names.get(value, value) for key, value in body.items()})

    # --- the hire ------------------------------------------------------------------------------

    def hire(self) -> None:
        who = {"identifier_from_purchaser": self.identifier}
        self.started = self._start(**who, input_data=self.data)
        self.failing = self._start(**who, input_data=self._failing)
        self._look("at once")
        self.other_names = self._odd_lookups()
        if self.ware.priced:
            self._pay()
            self.row = self._node.payment(self._hired(self.started))
        until(lambda: self._desk.begun, f"{self.ware.flow} has begun")
        self._look("running")
        self._desk.let_go()
        self._answer_all()
        self._end()

    def _pay(self) -> None:
        """With what start_job answered, and nothing else."""
        for answer in (self.started, self.failing):
            self._node.buy(self._hired(answer))

    def _hired(self, answer: httpx.Response) -> Hired:
        return Hired(self.ware.flow, self.identifier, {}, answer.json())

    def _answer_all(self) -> None:
        for naming in list(NAMINGS) if self.ware.asks else []:
            self._wait(self.job_id, "awaiting_input")
            before = [self._status(), self._status()]
            refused = {why: self._provide(wrong, {}) for why, wrong in WRONG_ANSWERS.items()}
            refused["another hash"] = self._provide(ANSWER, {"input_schema_hash": "0" * 64})
            before.append(self._status())
            name = NAMINGS[naming](before[0].json())
            answer, again = self._provide(ANSWER, name), self._provide(ANSWER, name)
            self.turns.append(Turn(naming, before, refused, answer, again))

    def _end(self) -> None:
        self._wait(self.job_id, "completed")
        self._look("completed")
        self.late = {
            "a job that is over": self._provide(ANSWER, {}),
            "an unknown job": self._ask(
                "POST", "provide_input", json={"job_id": "0" * 24, "input_data": ANSWER}
            ),
            "no job": self._ask("POST", "provide_input", json={"input_data": ANSWER}),
            "a job in the path": self._ask("POST", f"provide_input/{self.job_id}", json=ANSWER),
        }
        failing = str(self.failing.json()["job_id"])
        self._wait(failing, "failed")
        self.seen["failed"] = [self._status(failing), self._status(failing)]
        if self.ware.priced:
            self.row = self._node.payment(self._hired(self.started))
        self._look("completed")

    def _odd_lookups(self) -> dict[str, httpx.Response]:
        return {
            "unknown": self._get("status", job_id="0" * 24),
            "missing": self._get("status"),
            "in the path": self._get(f"status/{self.job_id}"),
            "as jobId": self._get("status", jobId=self.job_id),
            "as job_id": self._status(),
        }

    # --- HTTP ----------------------------------------------------------------------------------

    @property
    def job_id(self) -> str:
        return str(self.started.json()["job_id"])

    @property
    def result(self) -> str:
        return str(self.seen["completed"][0].json()["result"])

    @property
    def url(self) -> str:
        """Where the flow is for hire."""
        return str(self._http.base_url).rstrip("/")

    def statuses(self) -> list[dict[str, Any]]:
        """All that was told of where the jobs stand."""
        looks = [answer for found in self.seen.values() for answer in found]
        looks += [answer for turn in self.turns for answer in turn.before]
        return [answer.json() for answer in looks]

    def get(self, path: str, **query: str) -> httpx.Response:
        return self._get(path, **query)

    def _look(self, state: str) -> None:
        self.seen.setdefault(state, []).extend([self._status(), self._status()])

    def _status(self, job_id: str = "") -> httpx.Response:
        return self._get("status", job_id=job_id or self.job_id)

    def _wait(self, job_id: str, wanted: str) -> None:
        def arrived() -> bool:
            status = self._status(job_id).json()
            assert status["status"] == wanted or status["status"] not in ENDS, status
            return bool(status["status"] == wanted)

        until(arrived, f"{self.ware.flow} {job_id} is {wanted}")

    def _start(self, **body: Any) -> httpx.Response:
        return self._ask("POST", "start_job", json=body)

    def _provide(self, data: dict[str, Any], naming: dict[str, str]) -> httpx.Response:
        body = {"job_id": self.job_id, "input_data": data, **naming}
        return self._ask("POST", "provide_input", json=body)

    def _get(self, path: str, **query: str) -> httpx.Response:
        return self._ask("GET", path, params=query)

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        answer = self._http.request(method, path, **content)
        self.answers.append(answer)
        return answer
