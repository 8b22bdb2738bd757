"""The oracle finds each way in which the promise can be broken, and nothing where it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from chaos_oracle import Books, Verdict, compare
from chaos_records import Record

SENDER, HERE, THERE = "rs.ncp", "at.ncp", "hu.ncp"
RECORD = Record("one", SENDER, frozenset({HERE, THERE}), "digest")
TO_HERE = ("one", HERE)


@pytest.fixture
def books() -> Books:
    """One alert to two recipients, as it should be."""
    pairs = [("one", HERE), ("one", THERE)]
    return Books(
        ledger=dict.fromkeys(pairs, ("delivered", "digest", "rs")),
        inbox={pair: [(SENDER, "digest")] for pair in pairs},
        effects=Counter(pairs),
        receipts=dict.fromkeys(pairs, "digest"),
    )


def judge(books: Books) -> Verdict:
    return compare({"one": RECORD}, books)


def test_what_arrived_everywhere_once_is_found_so(books: Books) -> None:
    verdict = judge(books)
    assert verdict.holds
    assert (verdict.messages, verdict.pairs, verdict.findings) == (1, 2, ())


@pytest.mark.parametrize(
    ("break_it", "finding"),
    [
        (lambda books: books.inbox.pop(TO_HERE), "lost"),
        (lambda books: books.inbox.update({TO_HERE: [(SENDER, "another")]}), "lost"),
        (lambda books: books.inbox.update({TO_HERE: [("hu.ncp", "digest")]}), "lost"),
        (lambda books: books.inbox[TO_HERE].append((SENDER, "digest")), "twice"),
        (lambda books: books.effects.update([TO_HERE]), "twice"),
        (lambda books: books.inbox.update({("two", HERE): [(SENDER, "digest")]}), "unexpected"),
        (lambda books: books.ledger.update({("two", HERE): ("sent", "digest", "rs")}), "unexpected"),
        (lambda books: books.ledger.update({TO_HERE: ("sent", "digest", "rs")}), "unproven"),
        (lambda books: books.ledger.update({TO_HERE: ("delivered", "another", "rs")}), "unproven"),
        (lambda books: books.receipts.pop(TO_HERE), "unproven"),
        (lambda books: books.receipts.update({TO_HERE: "another"}), "unproven"),
    ],
)
def test_whatever_is_wrong_is_found_under_its_name_with_the_id(
    books: Books, break_it: Callable[[Books], object], finding: str
) -> None:
    # when
    break_it(books)
    verdict = judge(books)

    # then
    (found,) = getattr(verdict, finding)
    assert verdict.findings == (found,)
    assert HERE in found
    assert "one" in found or "two" in found


def test_what_was_stored_although_nobody_was_told_has_to_arrive_as_well(books: Books) -> None:
    # given an intent only, which has no digest
    doubtful = Record("one", SENDER, frozenset({HERE, THERE}))

    # then
    assert compare({"one": doubtful}, books).holds
    books.inbox.pop(TO_HERE)
    assert len(compare({"one": doubtful}, books).lost) == 1
