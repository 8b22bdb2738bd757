"""Whatever stands in `next=`, a browser stays at the console."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.console.pages.signing_in import path_inside

ORIGIN = "https://console.example"
PIECES = st.sampled_from(
    ["/", "\\", "//", "@", ":", "evil.example", "https:", "javascript:", "?", "#", "%2f", "\t", "\n", "."]
)


@given(
    st.one_of(st.text(), st.lists(PIECES, max_size=8).map("".join), st.lists(PIECES).map(lambda p: "/" + "".join(p)))
)
def test_no_address_leads_elsewhere(address: str) -> None:
    # browsers drop tabs and line ends, and read a backslash as a slash
    seen = path_inside(address)
    reading = seen.replace("\\", "/").replace("\t", "").replace("\n", "").replace("\r", "")
    there = urlsplit(urljoin(ORIGIN, reading))
    assert f"{there.scheme}://{there.netloc}" == ORIGIN
    assert seen.isascii()


@pytest.mark.parametrize("address", ["/", "/inbox", "/message/rs.ncp/0198?x=1&y=%C5%A1#here", "/sent?state=all"])
def test_our_own_addresses_are_kept(address: str) -> None:
    assert path_inside(address) == address


@pytest.mark.parametrize(
    "address", ["", "inbox", "//evil.example", "/\\evil.example", "https://evil.example", "/" * 2001]
)
def test_others_lead_to_the_start(address: str) -> None:
    assert path_inside(address) == "/"
