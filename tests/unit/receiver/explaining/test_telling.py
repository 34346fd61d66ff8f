"""A story in lines, and as JSON."""

import json
from dataclasses import replace
from datetime import timedelta

import msgspec

from handlers.clock import microseconds
from handlers.fact import Fact
from handlers.history import ImportSince, Silence
from handlers.ledger import Entry
from handlers.letters import Reason
from handlers.observation import Observation, Origin, Position
from receiver.explaining.as_json import as_json
from receiver.explaining.evidence import SeenLookUp, Spooled
from receiver.explaining.interpreting import says
from receiver.explaining.question import Whereabouts
from receiver.explaining.story import tell
from receiver.explaining.telling import lines
from tests.unit.receiver.explaining.samples import CLAIM, CREATED, LIVE, PAID, START, Kafka


def test_the_story_in_lines() -> None:
    """Each observation is followed by what came of it; places are partition and offset."""
    kafka = Kafka()
    first = kafka.take("created", CREATED)
    kafka.route(first)
    claimed = kafka.take("created", CREATED, claim=CLAIM, topic="invoice/paid")
    kafka.route(claimed)
    kafka.refuse(kafka.take("broken", refusal="bad-field: amount"), Reason.BAD_FIELD)
    kafka.take("paid", PAID, letter_id="l1")
    asked = SeenLookUp(CLAIM, START, claimed.digest, claimed.observation.received_at, "due soon")
    spooled = Spooled("a.spool", START, "invoice/paid", "5fc1")
    evidence = replace(kafka.evidence(), look_ups=(asked,), spooled=(spooled,), left_out=7)
    told = list(lines(tell(evidence)))
    event = kafka.events[0]
    assert told == [
        "smartpay/shop/invoice/i1 is created",
        "inbox partition 3: read from 2026-01-01T00:00:00Z on, routed before 3",
        "7 older observations are left out",
        "2026-01-01T00:00:00Z  webhook invoice/created, inbox 3/0",
        f"  sha256 {first.digest}",
        f"  created: published as event {event.id} at payments.invoices 1/0, sequence 1",
        "2026-01-01T00:01:00Z  webhook invoice/paid, inbox 3/1",
        "  the same bytes as 3/0",
        "  created: dropped, already published by 3/0",
        "  its topic claims more than its body shows, paid: not published",
        "  the provider was to be asked at 2026-01-01T00:00:00Z: under way, due soon",
        "2026-01-01T00:02:00Z  webhook invoice/created, inbox 3/2",
        f"  sha256 {kafka.arrivals[2].digest}",
        "  it cannot be read: bad-field: amount",
        (
            f"  dead letter {kafka.letters[0].letter.id}: bad-field, the detail (count 1,"
            " last at 2026-01-01T00:00:00Z); what to do: show it to the provider; redrive once"
            " a new version reads it"
        ),
        "2026-01-01T00:03:00Z  webhook invoice/created, inbox 3/3",
        f"  sha256 {kafka.arrivals[3].digest}, redriven from dead letter l1",
        "  not routed yet",
        "  paid: waits to be routed",
        (
            "2026-01-01T00:00:00Z  invoice/paid: in the spool of this host, not in Kafka yet"
            " (a.spool), sha256 5fc1"
        ),
        "the ledger holds:",
        (
            "  created, sequence 1, observed at 2026-01-01T00:00:00Z, event"
            f" {event.id} at payments.invoices 1/0"
        ),
    ]


def test_why_there_was_no_event_is_told() -> None:
    """What is from before the day, and what may have been published and forgotten."""
    kafka = Kafka(import_since=ImportSince(START))
    paid = Fact(LIVE, "paid", START - timedelta(days=1))
    kafka.route(kafka.take("old", CREATED, paid))
    told = list(lines(tell(kafka.evidence())))
    because = "without an event (it is from before import_since)"
    assert "  created: entered in the ledger, " + because in told
    assert f"  paid, {because}, observed at 2026-01-01T00:00:00Z" in told
    assert "smartpay/shop/invoice/i1 is paid" in told
    [old] = json.loads(json.dumps(as_json(tell(kafka.evidence()))))["observations"]
    assert {fact["silence"] for fact in old["facts"]} == {"history"}
    # The key was taken out since, and the ledger had forgotten what was before the day of START.
    [entry] = kafka.entries.values()
    event = msgspec.structs.replace(entry.published[1], silent=False)
    doubt = Entry(entry.kind, (entry.published[0], event), since=microseconds(START))
    evidence = replace(kafka.evidence(), entries={LIVE.partition_key: doubt}, import_start=None)
    [_, created, _] = list(lines(tell(evidence)))[-3:]
    assert created.startswith("  created, without an event (it may have been published and forg")
    either = replace(evidence, import_start=START)
    assert tell(either).ledger[0].silence is Silence.EITHER


def test_the_story_as_json_has_all_of_it() -> None:
    """It can be written as JSON, with the places, the fates and what to do."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.refuse(kafka.take("broken", refusal="bad-field: amount"), Reason.BAD_FIELD)
    told = json.loads(json.dumps(as_json(tell(kafka.evidence()))))
    created, broken = told["observations"]
    [fact] = created["facts"]
    assert (fact["fate"], fact["event"]["offset"], fact["by"]) == (
        "published",
        0,
        {"partition": 3, "offset": 0},
    )
    [letter] = broken["dead_letters"]
    assert letter["what_to_do"].startswith("show it to the provider")
    assert told["inbox"] == {
        "partition": 3,
        "next_routed": 2,
        "read_from": "2026-01-01T00:00:00Z",
        "left_out": 0,
    }


def test_of_nothing_published_the_story_says_so() -> None:
    """An empty inbox, an empty ledger, and routers that never committed are words, not gaps."""
    evidence = replace(Kafka().evidence(), routed=None, kept_since=None)
    assert list(lines(tell(evidence))) == [
        "smartpay/shop/invoice/i1: nothing of it was published",
        "inbox partition 3: nothing there, nothing routed yet",
        "no observation of it was found there",
    ]


def test_what_no_webhook_announced_is_told() -> None:
    """Of what a reconciliation had to publish: whether a webhook came after all, and which."""
    kafka = Kafka()
    kafka.route(kafka.take("row", CREATED, PAID, topic="invoices", origin="reconciliation"))
    kafka.route(kafka.take("created", CREATED))
    kafka.route(kafka.take("created", CREATED))
    story = tell(kafka.evidence())
    created, paid = list(lines(story))[-2:]
    assert "published by a reconciliation, and announced later by 3/1" in created
    assert "published by a reconciliation, and announced by no webhook so far" in paid
    told = json.loads(json.dumps(as_json(story)))["ledger"]
    assert [fact["unannounced"] for fact in told] == [False, True]
    assert [fact["announced_by"] for fact in told] == [{"partition": 3, "offset": 1}, None]


def test_what_a_webhook_told_first_needs_no_announcement() -> None:
    """Nothing is said of announcements where a webhook published the fact."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.route(kafka.take("row", CREATED, topic="invoices", origin="reconciliation"))
    kafka.route(kafka.take("created", CREATED))
    assert not [line for line in lines(tell(kafka.evidence())) if "announced" in line]


def test_where_bytes_are_can_be_told_as_json() -> None:
    """Places in the inbox are told with their topics."""
    told = json.loads(
        json.dumps(Whereabouts("5fc1", [Position("inbox", 3, 1234)], ["l1"], ()).as_json())
    )
    assert told == {
        "sha256": "5fc1",
        "inbox": [{"topic": "inbox", "partition": 3, "offset": 1234}],
        "letters": ["l1"],
        "spool": [],
    }


def test_nothing_is_wrong_with_what_nobody_here_can_interpret() -> None:
    """Without the account its observations are not unreadable: this configuration lacks it."""
    observation = Observation("gone", Origin.WEBHOOK, "invoice/paid", START, b"{}")
    kafka = Kafka()
    kafka.take("created", CREATED)
    [arrival] = kafka.arrivals
    evidence = kafka.evidence()
    unknown = replace(arrival, observation=observation, says=says(None, observation))
    told = list(lines(tell(replace(evidence, arrivals=(unknown,)))))
    assert "  it cannot be interpreted here: this configuration has no account 'gone'" in told
    assert not [line for line in told if "cannot be read" in line or "asserts nothing" in line]
