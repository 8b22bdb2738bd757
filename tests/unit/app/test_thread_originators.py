"""Who may update or cancel: whoever sent the message that gave the thread its name, as far as that is known here."""

from __future__ import annotations

from bridge_node import Node
from bridge_world import Sent, acknowledgement_body, alert, cancel_body, update_body

from bridge.app.read_message import item_summary
from bridge.app.receiving.outcomes import Outcome
from bridge.app.sending.acknowledge import AcknowledgeMessages


def update(earlier: Sent, *, thread: str, sender: str = "rs.ncp") -> Sent:
    return alert(kind="alert_update", body=update_body(earlier), thread=thread, sender=sender)


async def receive(node: Node, *messages: Sent) -> list[Outcome]:
    return await node.receiver("at.ncp").receive([message.delivery(to="at.ncp") for message in messages])


async def test_whoever_only_names_a_thread_does_not_take_it_over(node: Node) -> None:
    # given an alert that did not come here, and somebody else's message that claims to belong to its thread
    original = alert(to=["hu.ncp"])
    await receive(node, alert(sender="hu.ncp", thread=original.id))

    # when the originator updates it, then that is accepted
    assert await receive(node, update(original, thread=original.id)) == [Outcome.ACCEPTED]


async def test_our_own_answer_in_a_thread_makes_us_no_originator_whatever_the_clock_says(node: Node) -> None:
    # given an update without its original, answered by a clock that was set back
    original = alert(to=["hu.ncp"])
    first = update(original, thread=original.id)
    await receive(node, first)
    node.clock.advance(-60)
    item = await node.reader().item(first.id, contact_point="at.ncp")
    await AcknowledgeMessages(node.sending()).acknowledge(item, level="read", officer="Ana Anić")
    node.clock.advance(120)

    # when the next update comes, then it is accepted
    assert await receive(node, update(first, thread=original.id)) == [Outcome.ACCEPTED]


async def test_two_that_used_one_id_may_each_update_their_own(node: Node) -> None:
    # given
    theirs = alert()
    namesake = alert(id=theirs.id, sender="hu.ncp")
    await receive(node, namesake, theirs)

    # when
    outcomes = await receive(
        node, update(theirs, thread=theirs.id), update(namesake, thread=theirs.id, sender="hu.ncp")
    )

    # then
    assert outcomes == [Outcome.ACCEPTED] * 2


async def test_an_original_in_the_same_batch_counts(node: Node) -> None:
    # given
    original, other = alert(), alert(sender="hu.ncp")
    foreign = update(other, thread=original.id, sender="hu.ncp")

    # when
    outcomes = await receive(node, other, original, foreign, update(original, thread=original.id))

    # then
    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.QUARANTINED, Outcome.ACCEPTED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_ORIGINATOR"]


async def test_what_is_replaced_or_answered_is_named_with_its_sender(node: Node) -> None:
    # given an alert, and a cancellation by a namesake: of his own message under the same id
    original = alert()
    namesake = alert(id=original.id, sender="hu.ncp")
    cancel = alert(kind="alert_cancel", sender="hu.ncp", body=cancel_body(namesake), thread=namesake.id)
    answer = alert(kind="acknowledgement", sender="hu.ncp", body=acknowledgement_body(original.reference))

    # when
    assert await receive(node, original, namesake, cancel, answer) == [Outcome.ACCEPTED] * 4

    # then nobody can take it for a cancellation of the other's alert
    *_, cancelled, answered = [item_summary(item) for item in await node.inbox()]
    assert (cancelled["supersedes"], cancelled["supersedes_from"]) == (original.id, "hu.ncp")
    assert (answered["of"], answered["of_from"]) == (original.id, "rs.ncp")
    assert (answered["supersedes"], answered["supersedes_from"]) == (None, None)


async def test_an_update_that_names_anothers_message_as_the_earlier_one_is_refused(node: Node) -> None:
    # given
    original = alert()

    # when
    outcomes = await receive(node, original, update(original, thread=original.id, sender="hu.ncp"))

    # then
    assert outcomes == [Outcome.ACCEPTED, Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_ORIGINATOR"]
