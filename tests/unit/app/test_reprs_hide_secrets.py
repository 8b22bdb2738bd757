"""What is printed of a record, in a traceback or a log line, holds no key and no body."""

from __future__ import annotations

import pytest
from bridge_node import Node
from bridge_world import STORAGE_KEYS, alert, desk, private_keys, route_body, signer

from bridge.adapters.jose.signatures import is_signature
from bridge.app.sending.send import Draft
from bridge.core.routing import RoutePlan
from bridge.core.verification import Receiver, TrustView, authenticate, open_message

TITLE = "Vans at Horgo"  # what follows in the sample is escaped in bytes


def test_private_keys_show_their_names_only() -> None:
    shown = repr((desk("rs.ncp"), private_keys("rs.ncp"), signer("rs.ncp")))

    assert "rs.ncp#sig-1" in shown
    assert repr(STORAGE_KEYS["rs.ncp"]) not in shown
    assert "EllipticCurve" not in shown
    assert "ECPrivateKey" not in shown


@pytest.mark.parametrize("what", ["made", "draft", "verified"])
def test_messages_show_no_body(node: Node, what: str) -> None:
    message = alert()
    trust = TrustView(node.trust.directory, node.trust.directory.version)
    proven = authenticate(
        message.made.wire_bytes,
        trust=trust,
        receiver=Receiver("at", "at.ncp"),
        now=node.clock.now(),
        hints=None,
        is_signature=is_signature,
    )
    records: dict[str, object] = {
        "made": message.made,
        "draft": Draft("route_alert", "actual", "immediate", route_body(), RoutePlan((), (), ())),
        "verified": open_message(proven, contact_point="at.ncp", keys=desk("at.ncp").opening_keys),
    }

    assert TITLE not in repr(records[what])


def test_a_body_at_rest_shows_neither_key_nor_ciphertext(node: Node) -> None:
    at_rest = node.vault.put("at.ncp", b"body", context="at.ncp/rs.ncp/1")

    shown = repr(at_rest)

    assert repr(at_rest.wrapped_key) not in shown
    assert repr(at_rest.ciphertext) not in shown
