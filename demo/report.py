"""How the demonstration ends: the table for people, one JSON object for machines (cli: Demo figures)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.cli.output import table
from bridge.core.countries import KOSOVO_NOTE, country_name
from demo.figures import Figures


def as_json(figures: Figures, *, seconds: float, injected: int) -> Mapping[str, object]:
    """The object that `--json` prints."""
    return {
        "countries": len(figures.by_country),
        "published": figures.published,
        "recipients": figures.recipients,
        "delivered": figures.delivered,
        "receipts": figures.receipts,
        "acknowledged": figures.acknowledged,
        "injected": injected,
        "refused": dict(figures.refused),
        "lost": figures.lost,
        "duplicates": figures.duplicates,
        "seconds": round(seconds, 1),
    }


def as_text(figures: Figures, *, seconds: float, injected: int) -> str:
    """The same as tables."""
    lines = [
        [country_name(line.country.upper()), line.published, line.received, line.acknowledged, line.refused]
        for line in figures.by_country
    ]
    refused = [[code, count] for code, count in figures.refused.items()]
    summary = (
        f"{figures.published} alerts for {figures.recipients} recipients: {figures.delivered} delivered, "
        f"{figures.receipts} signed receipts back, {figures.acknowledged} acknowledged by an officer; "
        f"lost {figures.lost}, twice {figures.duplicates}.\n"
        f"{injected} forged or malformed messages injected, {sum(figures.refused.values())} messages refused in all: "
        "one copied to two countries counts twice,\n"
        "and whoever was robbed of its keys refuses the receipts for what it never sent, and so learns of the theft. "
        f"{seconds:.1f} s."
    )
    return "\n\n".join(
        [
            table(("country", "published", "received", "acknowledged by others", "refused"), lines),
            table(("refused because", "messages"), refused),
            summary,
            *([KOSOVO_NOTE] if any(line.country == "xk" for line in figures.by_country) else []),
        ]
    )


def is_complete(figures: Figures, *, injected: int) -> bool:
    """Whether everything that was sent has arrived, was confirmed and answered, and nothing forged was let in."""
    whole = figures.recipients == figures.delivered == figures.receipts == figures.acknowledged
    return whole and figures.published > 0 and sum(figures.refused.values()) >= injected
