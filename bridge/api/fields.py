"""What several requests have in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bridge.app.integrating.submit_once import LONGEST_OFFICER, OFFICER_PATTERN

Officer = Annotated[
    str,
    Field(
        min_length=1,
        max_length=LONGEST_OFFICER,
        pattern=OFFICER_PATTERN,
        examples=["M. Huber"],
        description="The person's name, in one line: it goes into the audit log.",
    ),
]
