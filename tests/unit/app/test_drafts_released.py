"""Alerts are written by one officer and released by another; what was typed is kept, what was seen is what is sent."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import route_body

from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import Person
from bridge.app.desk.checking import recipients_key
from bridge.app.desk.drafts import OpenDraft, WriteDrafts, Written
from bridge.app.desk.own_alerts import OwnAlerts
from bridge.app.desk.releasing import ReleaseAlerts
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.messages import read_body

ANA = Person("ana", "Ana", (Role.DUTY_OFFICER,), "rs.ncp", None)
BO = Person("bo", "Bo", (Role.APPROVER,), "rs.ncp", None)
CY = Person("cy", "Ana", (Role.DUTY_OFFICER, Role.APPROVER), "rs.ncp", None)
STRANGER = Person("dan", "Dan", (Role.DUTY_OFFICER, Role.APPROVER), "at.ncp", None)
AUDITOR = Person("eva", "Eva", (Role.AUDITOR,), "rs.ncp", None)


def alert(**members: object) -> Written:
    document = {"kind": "route_alert", "status": "actual", "urgency": "immediate", "body": route_body(), **members}
    return Written(document)


def drafts_of(node: Node) -> WriteDrafts:
    return WriteDrafts(node.store, node.vault, node.clock, node.ids)


def releasing_of(node: Node) -> ReleaseAlerts:
    return ReleaseAlerts(drafts_of(node), SubmitAlerts(node.sending()))


async def submitted(node: Node, written: Written | None = None, *, author: Person = ANA) -> OpenDraft:
    draft = await drafts_of(node).begin(author, written or alert())
    return await releasing_of(node).submit(draft.record.id, author, revision=1)


async def release(node: Node, draft: OpenDraft, person: Person = BO) -> str:
    releasing = releasing_of(node)
    checked = await releasing.check(draft.written, sender="rs.ncp")
    assert checked.draft is not None
    sent = await releasing.release(
        draft.record.id, person, revision=draft.record.revision, recipients=recipients_key(checked.draft.plan)
    )
    return sent.id


async def stored(node: Node, draft: OpenDraft) -> OpenDraft:
    async with node.store.reading() as unit:
        record = await unit.drafts.get(draft.record.id)
    assert record is not None
    return drafts_of(node).opened(record)


async def code_of(refused: object) -> str:
    with pytest.raises((RefusedError, BadInputError)) as caught:
        await refused  # type: ignore[misc]
    return caught.value.code


async def test_an_alert_goes_from_its_author_over_an_approver_into_the_outbox(node: Node) -> None:
    # when
    draft = await submitted(node)
    assert await node.new_rows() == []
    message_id = await release(node, draft)

    # then the message is there, and the draft knows it and has no text of its own any more
    sent = await node.sent(message_id)
    assert {to.id for to in sent.recipients} == {"at.ncp", "at.border-police"}
    assert len(await node.new_rows()) == 1
    kept = await stored(node, draft)
    assert (kept.record.state, kept.record.message_id, kept.record.decided_by) == ("released", message_id, "bo")
    assert kept.written.document == {}
    (entry,) = await node.audit("draft.released")
    assert (entry.actor, entry.subject, entry.detail["author"]) == ("bo", message_id, "ana")


async def test_nobody_releases_what_they_wrote_whatever_their_roles_and_whatever_their_name(node: Node) -> None:
    # given an officer who may do both, and has the name of another
    own = await submitted(node, author=CY)
    assert await code_of(release(node, own, CY)) == "E_SECOND_PERSON"
    assert await code_of(release(node, own, ANA)) == "E_PERMISSION"
    assert await code_of(release(node, own, AUDITOR)) == "E_PERMISSION"
    assert await code_of(release(node, own, STRANGER)) == "E_UNKNOWN_DRAFT"

    # then somebody of the same name, with another account, does
    assert await release(node, await submitted(node, author=ANA), CY)


async def test_whoever_had_a_hand_in_a_draft_does_not_release_it_after_it_was_taken_over(node: Node) -> None:
    draft = await drafts_of(node).begin(CY, alert())
    taken = await drafts_of(node).take_over(draft.record.id, ANA, revision=1)
    ready = await releasing_of(node).submit(draft.record.id, ANA, revision=taken.record.revision)

    assert await code_of(release(node, ready, CY)) == "E_SECOND_PERSON"
    assert await release(node, ready, BO)


async def test_two_approvers_release_once(node: Node) -> None:
    draft = await submitted(node)
    other = replace(BO, login="second")
    answers = await asyncio.gather(release(node, draft, BO), release(node, draft, other), return_exceptions=True)

    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert len(await node.new_rows()) == 1


async def test_what_changed_since_its_submission_is_not_released(node: Node) -> None:
    # given a draft that its author takes back, changes and submits again
    draft = await submitted(node)
    releasing, drafts = releasing_of(node), drafts_of(node)
    back = await releasing.withdraw(draft.record.id, ANA, revision=draft.record.revision)
    changed = alert(body=route_body() | {"title": "Another one"})
    saved = await drafts.save(draft.record.id, ANA, changed, revision=back.record.revision)
    await releasing.submit(draft.record.id, ANA, revision=saved.record.revision)

    # then an approver who looked before does not send it
    assert await code_of(release(node, draft)) == "E_DRAFT_CHANGED"
    assert await node.new_rows() == []


async def test_a_recipient_who_left_between_preview_and_release_is_shown_first(node: Node) -> None:
    # given an approver who looked at two recipients
    draft = await submitted(node)
    checked = await releasing_of(node).check(draft.written, sender="rs.ncp")
    assert checked.draft is not None
    seen = recipients_key(checked.draft.plan)

    # when one of them is suspended
    points = dict(node.trust.directory.contact_points)
    points["at.border-police"] = replace(points["at.border-police"], suspended="closed")
    node.trust.directory = replace(node.trust.directory, contact_points=points)

    # then nothing leaves until they have looked again
    again = releasing_of(node).release(draft.record.id, BO, revision=draft.record.revision, recipients=seen)
    assert await code_of(again) == "E_RECIPIENTS_CHANGED"
    sent = await node.sent(await release(node, draft))
    assert [to.id for to in sent.recipients] == ["at.ncp"]


async def test_an_old_list_lets_drafts_be_written_and_none_be_sent(node: Node) -> None:
    draft = await submitted(node)
    node.clock.advance(timedelta(days=46).total_seconds())

    assert await code_of(release(node, draft)) == "E_TRUST_STALE"
    assert await drafts_of(node).begin(ANA, alert())


async def test_an_emergency_leaves_alone_with_its_reason_and_is_reviewed_by_another(node: Node) -> None:
    # given
    drafts, releasing = drafts_of(node), releasing_of(node)
    draft = await drafts.begin(CY, alert())

    # when
    async def alone(reason: str) -> str:
        done = await releasing.release_in_emergency(draft.record.id, CY, revision=1, reason=reason)
        return done.id

    assert await code_of(alone("  soon  ")) == "E_REASON"
    message_id = await alone("The only approver is on the way here.")

    # then
    assert (await node.sent(message_id)).kind == "route_alert"
    (open_one,) = await releasing.to_review(BO)
    assert open_one.written.reason == "The only approver is on the way here."
    revision = open_one.record.revision
    own = releasing.review(draft.record.id, CY, revision=revision, note="")
    assert await code_of(own) == "E_SECOND_PERSON"
    await releasing.review(draft.record.id, BO, revision=revision, note="Right.")
    assert await releasing.to_review(BO) == []
    assert await code_of(releasing.review(draft.record.id, BO, revision=revision + 1, note="")) == "E_DRAFT_STATE"


async def test_what_is_not_immediate_waits_for_its_second_person(node: Node) -> None:
    draft = await drafts_of(node).begin(ANA, alert(urgency="expected"))
    alone = releasing_of(node).release_in_emergency(draft.record.id, ANA, revision=1, reason="Nobody else is here.")
    assert await code_of(alone) == "E_NOT_IMMEDIATE"
    assert await node.new_rows() == []


async def test_a_returned_draft_is_back_with_its_author_and_says_why(node: Node) -> None:
    draft = await submitted(node)
    releasing = releasing_of(node)
    back = releasing.return_to_author
    assert await code_of(back(draft.record.id, BO, revision=draft.record.revision, note=" ")) == "E_NOTE"
    await back(draft.record.id, BO, revision=draft.record.revision, note="Which coach?")

    opened = await drafts_of(node).open(draft.record.id, ANA)
    assert (opened.record.state, opened.written.note, opened.record.decided_by) == ("returned", "Which coach?", "bo")
    saved = await drafts_of(node).save(draft.record.id, ANA, opened.written, revision=opened.record.revision)
    assert (await releasing.submit(draft.record.id, ANA, revision=saved.record.revision)).written.note == ""


async def test_an_incomplete_draft_is_kept_and_not_submitted_and_every_fault_is_named(node: Node) -> None:
    written = alert(body={"title": "A" * 10_000, "legs": [{"from": {"country": "RS"}, "to": {}}]})
    draft = await drafts_of(node).begin(ANA, written)
    checked = await releasing_of(node).check(written, sender="rs.ncp")

    paths = {problem.path for problem in checked.problems}
    assert {"$.body.title", "$.body.legs[0].to.country", "$.body.exploitation", "$.body.tlp"} <= paths
    submitting = releasing_of(node).submit(draft.record.id, ANA, revision=1)
    assert await code_of(submitting) == checked.problems[0].code
    assert (await stored(node, draft)).written.title == "A" * 10_000


async def test_what_looks_like_personal_data_is_confirmed_for_the_text_that_stands_there(node: Node) -> None:
    # given a telephone number in the request
    def asking(number: str, *confirmed: str) -> Written:
        return replace(alert(body=route_body() | {"request": f"Call {number}"}), confirmed=confirmed)

    releasing = releasing_of(node)
    found = (await releasing.check(asking("+43 1 2345678"), sender="rs.ncp")).marked
    assert [one.finding.path for one in found] == ["$.body.request"]

    # then it is sent when it is confirmed, and another number there is asked about anew
    right = await releasing.check(asking("+43 1 2345678", found[0].key), sender="rs.ncp")
    assert right.ready()
    other = await releasing.check(asking("+43 1 8765432", found[0].key), sender="rs.ncp")
    with pytest.raises(RefusedError) as refused:
        other.ready()
    assert refused.value.code == "E_PERSONAL_DATA"


async def test_two_windows_do_not_overwrite_each_other_and_one_may_overtake_itself(node: Node) -> None:
    # given a draft that two windows have open
    drafts, draft_id = drafts_of(node), node.ids.new(node.clock.now())
    first = replace(alert(), window="one")
    await drafts.save(draft_id, ANA, first, revision=0, window="one")

    def titled(title: str, window: str) -> Written:
        return replace(alert(body={"title": title}), window=window)

    await drafts.save(draft_id, ANA, titled("A", "one"), revision=1, window="one")

    # then the other one is told, and the first may go on although an answer was still on its way
    late = drafts.save(draft_id, ANA, titled("B", "two"), revision=1, window="two")
    assert await code_of(late) == "E_DRAFT_CHANGED"
    saved = await drafts.save(draft_id, ANA, titled("C", "one"), revision=1, window="one")
    assert (saved.written.title, saved.record.revision) == ("C", 3)
    assert await code_of(drafts.save(draft_id, BO, titled("D", "x"), revision=3)) == "E_PERMISSION"
    assert await code_of(drafts.save(draft_id, CY, titled("D", "x"), revision=3)) == "E_NOT_AUTHOR"


async def test_what_was_typed_rests_encrypted_and_is_destroyed_when_it_is_discarded(node: Node) -> None:
    draft = await drafts_of(node).begin(ANA, alert(body={"title": "A secret of three words"}))
    async with node.store.reading() as unit:
        record = await unit.drafts.get(draft.record.id)
    assert record is not None
    assert record.sealed is not None
    assert b"secret" not in record.sealed.ciphertext

    await drafts_of(node).discard(draft.record.id, ANA, revision=1)

    assert await code_of(drafts_of(node).open(draft.record.id, ANA)) == "E_DRAFT_STATE"
    assert [entry.action for entry in await node.audit("draft.discarded")] == ["draft.discarded"]


async def test_an_update_begins_with_the_last_version_and_a_cancellation_with_its_marks(node: Node) -> None:
    # given an alert that was sent
    message_id = await release(node, await submitted(node))
    own = OwnAlerts(drafts_of(node))

    # when
    update, cancel = await own.update(message_id, ANA), await own.cancel(message_id, ANA)

    # then
    assert update.document["supersedes"] == cancel.document["supersedes"] == message_id
    assert update.body["legs"] == route_body()["legs"]
    assert "salt" not in update.body
    assert "legs" not in cancel.body
    assert cancel.body["tlp"] == route_body()["tlp"]


async def test_of_two_updates_of_one_version_the_second_is_refused(node: Node) -> None:
    # given two officers who write an update of the same version
    message_id = await release(node, await submitted(node))
    own = OwnAlerts(drafts_of(node))

    async def update(author: Person) -> OpenDraft:
        begun = await own.update(message_id, author)
        body = {**begun.body, "change_summary": f"By {author.login}"}
        return await submitted(node, replace(begun, document={**begun.document, "body": body}), author=author)

    first, second = await update(ANA), await update(CY)
    assert len(await own.being_written(message_id, ANA)) == 2

    # when both are released
    newer = await release(node, first)

    # then the second one is not, and its author is told to begin from the newer version
    assert await code_of(release(node, second)) == "E_SUPERSEDED"
    assert (await stored(node, second)).record.state == "submitted"
    assert await code_of(own.update(message_id, CY)) == "E_SUPERSEDED"
    assert [alert.message.id for alert in await own.versions(newer, BO)] == [message_id, newer]
    sent = await node.sent(newer)
    assert sent.body is not None
    body = json.loads(node.vault.get("rs.ncp", sent.body, context=f"rs.ncp/rs.ncp/{newer}"))
    assert not isinstance(
        read_body("alert_update", "urn:ncp-bridge:alert_update:1.0", body, sent=sent.sent, status="actual"), tuple
    )


async def test_a_failure_while_sending_leaves_the_draft_as_it_was(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = await submitted(node)

    async def fails(*_: object, **__: object) -> None:
        raise RefusedError("E_TEST", "the last step fails")

    monkeypatch.setattr(WriteDrafts, "note", fails)
    assert await code_of(release(node, draft)) == "E_TEST"
    assert (await stored(node, draft)).record.state == "submitted"
    assert await node.new_rows() == []
