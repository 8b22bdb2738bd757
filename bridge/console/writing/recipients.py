"""Who would receive what is written, as both the author and the approver see it."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.app.desk.previewing import Preview
from bridge.console.visit import Visit
from bridge.core.errors import UnavailableError


async def preview_of(visit: Visit, document: Mapping[str, object]) -> Preview | None:
    """Who would receive it; `None` while the membership list cannot be read: the page says so, writing goes on."""
    try:
        directory = await visit.parts.newest_list()
    except UnavailableError:
        return None
    return await visit.parts.previewing.preview(document, directory, sender=visit.contact_point)


def shown_recipients(visit: Visit, preview: Preview | None) -> dict[str, object]:
    """What `compose/recipients.html` shows, but for what the author chose."""
    unreachable = preview.plan.unreachable if preview else ()
    return {"preview": preview, "unreachable": ", ".join(visit.words.country(code) for code in unreachable)}
