"""What a body was found by goes when the body is erased."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, delete, or_, select

from bridge.adapters.store.tables import inbox, message, search_term
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.search import Source

TURN: Final = "search terms"  # whoever adds or removes some waits for who does: what is gone must not come back


async def forget_terms(transaction: Transaction, contact_point: str, message_id: str, sender: str) -> None:
    """Removes what was indexed of a body that is erased."""
    await transaction.take_turn(TURN)
    received = select(inbox.c.position).where(
        inbox.c.contact_point == contact_point, inbox.c.id == message_id, inbox.c.sender == sender
    )
    sent = select(message.c.position).where(message.c.sender == contact_point, message.c.id == message_id)
    places = [(Source.INBOX, received)] + ([(Source.MESSAGE, sent)] if sender == contact_point else [])
    here = [and_(search_term.c.source == name.value, search_term.c.position.in_(found)) for name, found in places]
    await transaction.change(delete(search_term).where(or_(*here)))
