"""An agent from a function and its pydantic model, in a FastAPI app that knows no form."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

from masumi_sumi import sumi

app = FastAPI()


class Text(BaseModel):
    text: Annotated[str, Field(description="What to count", max_length=20_000)]
    count: Literal["words", "characters", "lines"] = "words"
    most: Annotated[int, Field(description="How many of the most frequent", ge=1, le=100)] = 10


PIECES = {"words": r"\w+", "characters": r"\S", "lines": r".+"}


@sumi.flow(app)
def word_count(order: Text) -> dict[str, int]:
    """Counts what a text is made of, the most frequent first."""
    pieces = re.findall(PIECES[order.count], order.text.casefold())
    return dict(Counter(pieces).most_common(order.most))


fast_app = sumi.bind(app, "WordCount")
