"""Canonical base64url (wire-format: Envelope): one text for one value."""

from __future__ import annotations

import pytest

from bridge.core.wire import base64url

# RFC 4648 section 10, without padding, and the two characters that differ from base64.
KNOWN = {b"": "", b"f": "Zg", b"fo": "Zm8", b"foo": "Zm9v", b"foob": "Zm9vYg", b"\xfb\xff": "-_8"}


@pytest.mark.parametrize(("data", "text"), KNOWN.items())
def test_known_values_are_encoded_and_decoded(data: bytes, text: str) -> None:
    assert base64url.encode(data) == text
    assert base64url.decode(text) == data


OTHER_SPELLINGS = [
    "Zg==", "Zm8=", "Zh", "Zm9", "Z", "Zm9vY", "+/8", "Zm 9v", "Zm9v\n", "\nZm9v", "Zm9v\x00", "Zm9v.", "Zm9vé",
    "\uff3a\uff47",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHER_SPELLINGS)
def test_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="canonical"):
        base64url.decode(text)
