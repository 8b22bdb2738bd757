"""Who is in a sandbox, and how each behaves: the contact points, their scripts, and what to expect of each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.core.countries import COUNTRY_CODES, country_name
from bridge.core.errors import BadInputError
from bridge.core.ids import prefix_of
from bridge.counterparts.counterpart import Script
from bridge.counterparts.scripts import SCRIPTS, Late

NETWORK: Final = "sandbox"
YOU: Final = "RS"
DESK: Final = "ncp"
SECOND: Final = "labour"  # of the first country: it has two contact points
_COUNTRIES: Final = ("AT", "HU", "HR", "MK", "RO", "BG", "AL", "IT", "RS")
_LATE: Final = re.compile(r"late(?::([0-9]{1,4}))?")
_LATE_SECONDS: Final = 20
_USUAL: Final = tuple(f"late:{_LATE_SECONDS}" if name == "late" else name for name in SCRIPTS)  # one of each
EXPECT: Final[Mapping[str, str]] = {
    "answers": "a receipt and an officer's acknowledgement at once",
    "late": "the same after the seconds that stand behind it",
    "never": "takes everything and says nothing: `outbox show` has it as sent, without receipt",
    "bad-signature": "its receipts are refused (E_SIGNATURE, in quarantine); the message stays without receipt",
    "old-list": "answers by the first version of the membership list; accepted, and a reason to look for a newer one",
    "oversized": "answers with more than a message may be (E_SIZE, in quarantine); the message stays without receipt",
    "duplicates": "its acknowledgement comes three times and is in the inbox once",
    "gap": "leaves out a number before each answer: from the second one on it is missed and asked for, in vain",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One sandbox.

    Attributes:
        you: the country (ISO 3166-1 alpha-2) of whoever tries.
        scripts: contact point -> its script as it was given: `late:20`.
    """

    you: str
    scripts: Mapping[str, str]

    @property
    def own(self) -> str:
        """The contact point of whoever tries."""
        return f"{self.you.lower()}.{DESK}"

    @property
    def countries(self) -> Mapping[str, Sequence[str]]:
        """Prefix -> contact points of each counterpart country."""
        found: dict[str, list[str]] = {}
        for one in self.scripts:
            found.setdefault(prefix_of(one), []).append(one)
        return found

    def network_file(self) -> str:
        """The file that the network is founded from; nobody in it may send anything that is meant."""
        everybody = json.dumps([self.you, *(prefix.upper() for prefix in self.countries)])
        points = "".join(_contact_point(one) for one in (self.own, *self.scripts))
        return (
            f'network = "{NETWORK}"\ncountries = {everybody}\n\n'
            '[defaults]\nstatuses = ["exercise", "system"]\n\n'
            f'[[transfers]]\nfrom = {everybody}\nto = {everybody}\nbasis = "agreement"\n{points}'
        )


def plan_of(you: str, given: Sequence[str]) -> Plan:
    """The plan for a country, with the scripts `CONTACT-POINT=SCRIPT` that were given in the place of the usual ones.

    Raises:
        BadInputError: no country, no such contact point or script; the sentence lists those that there are (`E_USAGE`).
    """
    country = you.upper()
    if country not in COUNTRY_CODES:
        raise BadInputError("E_USAGE", f"--you: found {you}, expected a country's code of ISO 3166-1, such as RS")
    others = [each.lower() for each in _COUNTRIES if each != country]
    scripts = {f"{prefix}.{DESK}": script for prefix, script in zip(others, _USUAL, strict=False)}
    scripts[f"{others[0]}.{SECOND}"] = "answers"
    for one in given:
        contact_point, _, script = one.partition("=")
        if contact_point not in scripts:
            raise BadInputError("E_USAGE", f"--script: found {one}, expected one of {', '.join(scripts)} before =")
        script_of(script)
        scripts[contact_point] = script
    return Plan(country, scripts)


def script_of(text: str) -> Script:
    """A new script of this name, or `late:SECONDS`.

    Raises:
        BadInputError: there is none; the sentence lists those that there are (`E_USAGE`).
    """
    late = _LATE.fullmatch(text)
    if late:
        return Late(seconds=float(late[1] or _LATE_SECONDS))
    if text not in SCRIPTS:
        raise BadInputError("E_USAGE", f"--script: found {text or 'nothing'}, expected {', '.join(SCRIPTS)}, late:20")
    return SCRIPTS[text]()


def expectation(script: str) -> str:
    """What a counterpart with this script does, in a sentence."""
    return EXPECT[script.partition(":")[0]]


def _contact_point(identifier: str) -> str:
    country = country_name(prefix_of(identifier).upper())
    if identifier.endswith(f".{DESK}"):
        told = f'name = "National contact point, {country}"\nnational_desk = true\n'
    else:
        told = (
            f'name = "Labour inspectorate, {country}"\n\n'
            '[contact_points.remit]\nexploitation = ["forced_labour_or_services"]\n'
        )
    return f'\n[[contact_points]]\nid = "{identifier}"\n{told}'
