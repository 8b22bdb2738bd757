"""What this program fails on is kept in quarantine, from where it can be judged again."""

from __future__ import annotations

import pytest
from bridge_node import Node

from bridge.app.receiving.setting_aside import SetAside
from bridge.core.verification import Hints
from bridge.ports.broker import Delivery


@pytest.mark.parametrize("holder", ["at.ncp", None])
async def test_it_is_kept_once_with_its_bytes_and_names_the_kind_of_fault_only(node: Node, holder: str | None) -> None:
    # given
    delivery = Delivery(1, "inbox.at.ncp.urgent", b"{}", Hints("id", "route_alert", "rs.ncp"), redelivered=True)
    aside = SetAside(node.store, node.clock, node.ids, holder)

    # when: it comes again, because the acknowledgement was lost
    for _ in range(2):
        await aside.keep(delivery, ZeroDivisionError("words of the message"))

    # then
    (kept,) = await node.quarantined()
    assert (kept.code, kept.step, kept.contact_point, kept.queue) == ("E_INTERNAL", 0, holder, delivery.queue)
    assert "ZeroDivisionError" in kept.detail
    assert "words" not in kept.detail
    assert kept.wire_bytes == b"{}"
    assert len(await node.audit("message.refused")) == (0 if holder is None else 1)
