"""The certificates with which accounts are signed in now, as the broker tells its operator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from bridge.adapters.amqp.management import Management
from bridge.core.certificates import CertificateTimes


def certificates_in_use(management: Management, vhost: str) -> Sequence[CertificateTimes]:
    """Of each connected account the certificate that ends first, those that end first in front; very new ones may miss.

    Raises:
        UnavailableError: the API cannot be reached, or it refuses the account.
    """
    _, answer_bytes = management.request("GET", "/api/connections?columns=user,vhost,peer_cert_validity")
    first: dict[str, CertificateTimes] = {}
    for entry in json.loads(answer_bytes):
        validity, account = entry.get("peer_cert_validity"), entry.get("user")
        if entry.get("vhost") != vhost or not validity:
            continue
        begins, ends = (datetime.fromisoformat(moment) for moment in validity.split(" - "))
        if account not in first or ends < first[account].ends:
            first[account] = CertificateTimes(account, begins, ends)
    return sorted(first.values(), key=lambda one: (one.ends, one.name))
