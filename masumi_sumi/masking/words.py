"""Words by which a secret is told from an ordinary sentence."""

from __future__ import annotations

import re

HIDDEN, HOST, PATH = "[hidden]", "[host]", "[path]"


def _split(words: str) -> frozenset[str]:
    return frozenset(re.findall(r"\S+", words))


PROSE = _split("""
    a an the this that these it its your you is are was were be been must may might can cannot could
    should shall will would has have had does did do not no none null nil true false at in on of for
    from to with without by as or and but if when than then only never always required require
    missing invalid expected unexpected expired wrong unknown empty too least most more less please
    enter choose use field value values string str int integer float number numeric input data type
    length character characters format object list error failed failure denied refused rejected
    incorrect malformed given provided set unset needed need blank undefined optional default there
    authentication authorization already both either
""")
"""These go on with a sentence about a secret, as in ``password: must be shorter than 10``."""

NO_VALUES = _split("none null nil true false '' \"\" undefined None")

COUNTED = _split("""
    line lines code status error errno column col page chapter row pid port step exit id nr no
    number count size length offset position pos index char level version year limit max min total
    tokens took timeout seconds ms bytes at result value x y attempt attempts width height
""")
"""What stands before a colon and a number without being a host with its port."""

LOW_PORTS = _split("21 22 25 53 80 88 110 143 389 443 465 514 587 636 873 989 993 995")
