"""CAP 1.2 out and in: nothing of an alert is lost, the form is the standard's, and what is hostile is refused."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from bridge.app.sending.submit import alert_of
from bridge.core.errors import BadInputError
from bridge.core.messages import AlertUpdateBody, RouteAlertBody
from bridge.interchange.cap_read import MOST_BYTES, read_cap
from bridge.interchange.cap_table import ELEMENTS, LOST_ON_THE_WAY_IN, NAMESPACE
from bridge.interchange.cap_write import Sent, cap_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for path in (ROOT / "examples" / "alerts").glob("*.json") if path.name != "manifest.json")
SAMPLES = sorted((ROOT / "schemas" / "samples" / "alert-file" / "1.0" / "good").glob("*.json"))
SENT = Sent("rs.ncp", "0193b0a0-89ab-7000-8000-0123456789ab", datetime(2026, 11, 28, 8, 30, 15, tzinfo=UTC))
# In the order of the standard (CAP 1.2, section 3.2).
ALERT = "identifier sender sent status msgType source scope restriction addresses code note references incidents info"
INFO = (
    "language category event responseType urgency severity certainty audience eventCode effective onset expires "
    "senderName headline description instruction web contact parameter resource area"
)
CODES = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {"Security"},
    "responseType": {"Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"},
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}


def exported(path: Path) -> bytes:
    return cap_of(alert_of(path.read_bytes()), SENT)


def members(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read


def is_in_order(element: Element, names: str) -> bool:
    found = [child.tag.rpartition("}")[2] for child in element]
    places = [names.split().index(name) for name in found]
    return places == sorted(places)


@pytest.mark.parametrize("path", [*FILES, *SAMPLES], ids=lambda path: path.stem)
def test_out_and_in_again_is_the_same_alert(path: Path) -> None:
    imported = read_cap(exported(path))
    given_members = members(path)
    if "expires" in given_members:  # the same moment, to the millisecond
        assert imported.members["expires"] == given_members["expires"].replace("00Z", "00.000Z")
        given_members["expires"] = imported.members["expires"]
    assert imported.members == given_members
    assert imported.losses == []


@pytest.mark.parametrize("path", [*FILES, *SAMPLES], ids=lambda path: path.stem)
def test_what_is_written_has_the_form_of_the_standard(path: Path) -> None:
    alert = fromstring(exported(path))
    assert alert.tag == f"{{{NAMESPACE}}}alert"
    assert is_in_order(alert, ALERT)
    infos = alert.findall(f"{{{NAMESPACE}}}info")
    assert infos
    assert all(is_in_order(info, INFO) for info in infos)
    for info in infos:
        for name in ("category", "event", "urgency", "severity", "certainty"):
            assert info.find(f"{{{NAMESPACE}}}{name}") is not None
    for element in alert.iter():
        name = element.tag.rpartition("}")[2]
        assert name not in CODES or element.text in CODES[name]
        if name in {"sent", "onset", "expires"}:
            assert str(element.text).endswith("-00:00")
            datetime.fromisoformat(str(element.text))
    identifier = alert.findtext(f"{{{NAMESPACE}}}identifier") or ""
    assert not set(" ,<&") & set(identifier)


def test_an_update_names_what_it_replaces_and_when_that_was_sent() -> None:
    update = next(path for path in SAMPLES if path.name == "alert_update-full.json")
    text = fromstring(exported(update)).findtext(f"{{{NAMESPACE}}}references") or ""
    sender, identifier, sent = text.split(",")
    assert (sender, identifier) == ("rs.ncp", members(update)["supersedes"])
    assert datetime.fromisoformat(sent) < SENT.sent


def test_the_table_names_members_that_there_are() -> None:
    known = {*RouteAlertBody.model_fields, *AlertUpdateBody.model_fields}
    assert ELEMENTS.keys() <= known
    assert all(why for why in LOST_ON_THE_WAY_IN.values())


def test_what_an_alert_has_no_place_for_is_named() -> None:
    text = exported(FILES[0]).decode()
    with_more = text.replace("</restriction>", "</restriction><note>by phone</note><incidents>x</incidents>", 1)
    with_more = with_more.replace("<parameter>", "<web>https://elsewhere.example</web><parameter>", 1)
    imported = read_cap(with_more.encode())
    assert imported.members == members(FILES[0])
    assert {name for name, _ in imported.losses} == {"note", "incidents", "web"}


BOMB = '<!DOCTYPE a [<!ENTITY b "&#98;"><!ENTITY c "&b;&b;&b;">]>'
FOREIGN = f"<alert xmlns='{NAMESPACE}'><identifier>1</identifier><info><event>Flood</event></info></alert>"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "no XML"),
        (b"{}", "no XML"),
        (b"<alert>", "no XML"),
        (b"<alert/>", "alert: expected the element alert of CAP 1.2"),
        (f"<alert xmlns='{NAMESPACE[:-1]}1'/>".encode(), "CAP 1.2"),
        ((BOMB + FOREIGN).encode(), "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "document type"),
        (f"<alert xmlns='{NAMESPACE}'>".encode() + b"<x>" * 2000 + b"</x>" * 2000 + b"</alert>", "lacks|elements"),
        (f"<alert xmlns='{NAMESPACE}'>".encode() + b"<note/>" * 6000 + b"</alert>", "6001 elements"),
        (b"<a>" + b" " * MOST_BYTES + b"</a>", "bytes"),
        (FOREIGN.encode(), r"lacks what an alert must say.*ncp-bridge|lacks.*body\.legs"),
        (FOREIGN.replace("<info>", "<info><x xmlns='urn:other'/>").encode(), "x: expected only elements"),
        (f"<feed xmlns='{NAMESPACE}'><alert/><alert/></feed>".encode(), "feed: expected the element alert"),
    ],
)
def test_what_is_no_alert_of_ours_is_refused_with_its_name(data: bytes, named: str) -> None:
    with pytest.raises(BadInputError, match=named) as refused:
        read_cap(data)
    assert refused.value.code == "E_CAP"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("<msgType>Alert", "<msgType>Cancel", "msgType: found 'Cancel'"),
        ('<value>"route_alert"</value>', "<value>route_alert</value>", "ncp-bridge:kind"),
        ("<valueName>ncp-bridge:status", "<valueName>ncp-bridge:kind", "stands twice"),
        ("<valueName>ncp-bridge:body.legs", "<valueName>ncp-bridge:body.steps", r"body\.legs"),
    ],
)
def test_a_changed_alert_is_refused_with_what_was_changed(old: str, new: str, named: str) -> None:
    text = exported(FILES[0]).decode()
    assert old in text
    with pytest.raises(BadInputError, match=named):
        read_cap(text.replace(old, new, 1).encode())


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(str.strip)


@given(title=TEXT, narrative=st.dictionaries(st.sampled_from(["en", "sq", "sr-Latn"]), TEXT, max_size=3))
def test_every_text_comes_back_as_it_was(title: str, narrative: dict[str, str]) -> None:
    given_members = copy.deepcopy(members(FILES[0]))
    given_members["body"] |= {"title": title, "narrative": narrative}
    alert = alert_of(json.dumps(given_members).encode())
    assert read_cap(cap_of(alert, SENT)).members == given_members
