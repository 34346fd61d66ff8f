"""The generator's ledger: what was answered 200 must be published, all else may be."""

import json
from pathlib import Path

from tests.chaos.ledger import Ledger
from tests.chaos.traffic import Notification, traffic


def one(seed: int) -> Notification:
    """Return a notification."""
    return next(traffic(seed))


def test_only_a_200_is_an_acknowledgement(tmp_path: Path) -> None:
    """What got another status, or none, is unsure; a later 200 settles it."""
    with Ledger(tmp_path / "ledger", lambda: 5.0) as ledger:
        number = ledger.begin(one(1))
        ledger.answered(number, one(1), 1, "no answer")
        assert not ledger.sent().acknowledged
        assert ledger.sent().unsure == dict(one(1).facts)
        ledger.answered(number, one(1), 2, 200)
    assert ledger.sent().acknowledged == dict(one(1).facts)
    assert not ledger.sent().unsure
    assert ledger.acknowledged_at == {fact.id: 5.0 for fact in one(1).facts}


def test_what_was_only_begun_is_unsure(tmp_path: Path) -> None:
    """A notification under way when the run ends may have arrived."""
    with Ledger(tmp_path / "ledger", lambda: 5.0) as ledger:
        ledger.begin(one(1))
    assert ledger.sent().unsure == dict(one(1).facts)


def test_the_first_acknowledgement_counts(tmp_path: Path) -> None:
    """A fact is to be readable soon after its first 200, however often it is sent."""
    times = iter((1.0, 2.0))
    with Ledger(tmp_path / "ledger", lambda: next(times)) as ledger:
        for _ in range(2):
            ledger.answered(ledger.begin(one(1)), one(1), 1, 200)
    assert set(ledger.acknowledged_at.values()) == {1.0}


def test_every_attempt_is_a_line(tmp_path: Path) -> None:
    """The file tells number, resource, attempt, outcome and time."""
    with Ledger(tmp_path / "ledger", lambda: 5.0) as ledger:
        number = ledger.begin(one(1))
        ledger.answered(number, one(1), 1, 503)
    key = next(iter(one(1).facts)).key
    assert json.loads((tmp_path / "ledger").read_text()) == [1, key, 1, 503, 5.0]
    assert ledger.refused_first == {"503": 1}
