"""What is ordered of each flow of the examples, by whichever buyer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ef" * 32
APPS = ("form_elements", "knowledge_graph", "prime", "word_count")
NEXT_WEEK = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
PRIMES = {"start": "0", "end": "100000", "tasks": "2"}

# By the path of a flow: what a person would say, choices by their words.
ORDERS: dict[str, dict[str, Any]] = {
    "sold-prime": PRIMES,
    "sold-prime/async": PRIMES,
    "two-stage": {"name": "Ada", "date": NEXT_WEEK},
    "sold-knowledge-graph/serve": {"start": "Person"},
    "sold-word-count": {"text": "To be, or not to be.", "count": "words", "most": 2},
    "sold-form-elements/text-inputs": {
        "username": "ada",
        "password": 'pass"word\\',
        "email": "ada@example.com",
        "website": "https://example.com",
        "phone": "+1 555 0100",
        "search": "ümlaut",
        "bio": "two\nlines",
    },
    "sold-form-elements/numeric-inputs": {
        "age": 36,
        "quantity": 2,
        "price": 0.25,
        "volume": 45,
        "balance": -3,
    },
    "sold-form-elements/datetime-inputs": {
        "birth_date": "1990-12-10",
        "appointment": "09:30",
        "meeting": "2030-01-31T09:30",
        "expiry": "2030-01",
        "vacation": "2030-W05",
    },
    "sold-form-elements/selection-inputs": {
        "terms": True,
        "newsletter": False,
        "country": "Germany",
        "size": "Medium",
        "plan": "Professional",
    },
    "sold-form-elements/special-inputs": {"primary_color": "#112233"},
    "sold-form-elements/complete-form": {
        "full_name": "Ada Miller",
        "email": "ada@example.com",
        "password": "secretpass123",
        "birth_date": "1990-12-10",
        "country": "Elsewhere",
        "plan": "Premium",
        "terms": True,
    },
}
