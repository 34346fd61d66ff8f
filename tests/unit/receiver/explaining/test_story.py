"""The story of a resource, put together from the evidence."""

from dataclasses import replace

import msgspec

from handlers.fact import Fact, Reading
from handlers.ledger import Entry, settle
from handlers.letters import Reason
from handlers.observation import Position
from receiver.explaining.evidence import SeenLookUp
from receiver.explaining.story import Fate, Story, ToldArrival, positions_of, tell
from tests.unit.receiver.explaining.samples import CLAIM, CREATED, LIVE, PAID, START, TEST, Kafka


def fates(told: ToldArrival) -> list[tuple[str, Fate]]:
    """Return what became of each fact of an observation."""
    return [(fact.fact.action, fact.fate) for fact in told.facts]


def story(kafka: Kafka) -> Story:
    """Return the story of what is in Kafka."""
    return tell(kafka.evidence())


def test_what_was_published_and_what_was_dropped() -> None:
    """The first that tells a fact published it, the next was dropped because of the first."""
    kafka = Kafka()
    for body in ("created", "created"):
        kafka.route(kafka.take(body, CREATED))
    kafka.route(kafka.take("paid", CREATED, PAID))
    first, again, paid = story(kafka).arrivals
    assert fates(first) == [("created", Fate.PUBLISHED)]
    assert first.facts[0].event == kafka.events[0]
    assert fates(again) == [("created", Fate.DUPLICATE)]
    assert again.facts[0].by == again.same_bytes_as == first.arrival.at
    assert fates(paid) == [("created", Fate.DUPLICATE), ("paid", Fate.PUBLISHED)]
    assert paid.facts[1].sequence == 2


def test_what_is_not_routed_yet_waits() -> None:
    """Beyond the router's position nothing is said of a fact, even if it is a known one."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.take("paid", CREATED, PAID)
    _, waiting = story(kafka).arrivals
    assert not waiting.is_routed
    assert fates(waiting) == [("created", Fate.WAITS), ("paid", Fate.WAITS)]
    [nothing, _] = tell(replace(kafka.evidence(), routed=None)).arrivals
    assert not nothing.is_routed


def test_after_a_redrive_the_first_tells_of_the_second() -> None:
    """A dead letter published nothing itself; its redrive did."""
    kafka = Kafka()
    first = kafka.take("paid", PAID)
    letter = kafka.refuse(first, Reason.UNKNOWN_ACCOUNT)
    [told] = story(kafka).arrivals
    assert (fates(told), told.letters) == ([("paid", Fate.UNPUBLISHED)], (letter,))
    kafka.letters.clear()
    kafka.route(kafka.take("paid", PAID, letter_id=letter.letter.id))
    before, after = story(kafka).arrivals
    assert fates(before) == [("paid", Fate.LATER)]
    assert before.facts[0].by == after.arrival.at
    assert fates(after) == [("paid", Fate.PUBLISHED)]
    assert before.letters == after.letters == ()


def test_test_data_is_told_apart() -> None:
    """A test's fact is another one than the live fact, and has its own entry."""
    kafka = Kafka()
    kafka.route(kafka.take("test", Fact(TEST, "created")), TEST)
    kafka.route(kafka.take("live", CREATED))
    told = story(kafka)
    assert [fates(arrival) for arrival in told.arrivals] == [[("created", Fate.PUBLISHED)]] * 2
    assert {fact.test for fact in told.ledger} == {True, False}
    assert told.statuses == {LIVE.partition_key: "created", TEST.partition_key: "created"}


def test_without_its_event_a_fact_is_known_by_the_ledger() -> None:
    """Events are kept for a while only: the time of the observation tells who published it."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.route(kafka.take("again", CREATED))
    kafka.events.clear()
    first, again = story(kafka).arrivals
    assert fates(first) == [("created", Fate.PUBLISHED)]
    assert (first.facts[0].sequence, first.facts[0].event) == (1, None)
    assert fates(again) == [("created", Fate.DUPLICATE)]
    assert again.facts[0].by == first.arrival.at


def test_beyond_the_inbox_the_ledger_still_tells() -> None:
    """What was published is told, also where its observation is kept no more."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.route(kafka.take("again", CREATED))
    gone = kafka.arrivals.pop(0)
    told = story(kafka)
    [remembered] = told.ledger
    assert (remembered.action, remembered.sequence, remembered.told) == ("created", 1, False)
    assert remembered.observed_at == START
    [again] = told.arrivals
    assert again.facts[0].by == gone.at
    assert positions_of(told, gone.digest) == [gone.at]


def test_a_fact_without_an_event_is_silent() -> None:
    """A fact that was only entered has no sequence number, and the next one counts on."""
    kafka = Kafka()
    kafka.route(kafka.take("paid", CREATED, PAID))
    entry = kafka.entries[LIVE.partition_key]
    created, paid = entry.published
    silent = msgspec.structs.replace(created, silent=True)
    kafka.entries[LIVE.partition_key] = Entry(entry.kind, (silent, paid))
    kafka.events.clear()
    told = story(kafka)
    assert fates(told.arrivals[0]) == [("created", Fate.SILENT), ("paid", Fate.PUBLISHED)]
    assert [fact.sequence for fact in told.ledger] == [None, 1]


def test_a_claim_is_told_with_its_look_up_and_its_letter() -> None:
    """What only the topic says is told apart from what the body shows."""
    kafka = Kafka()
    arrival = kafka.take("created", CREATED, claim=CLAIM, topic="invoice/paid")
    kafka.route(arrival)
    letter = kafka.refuse(arrival, Reason.CLAIM_NOT_CONFIRMED)
    received_at = arrival.observation.received_at
    asked = SeenLookUp(CLAIM, START, arrival.digest, received_at, "due soon")
    other = replace(asked, digest="of other bytes")
    [told] = tell(replace(kafka.evidence(), look_ups=(asked, other))).arrivals
    assert told.claim is not None
    assert told.claim.fate is Fate.UNPUBLISHED
    assert (told.look_ups, told.letters) == ((asked,), (letter,))


def test_a_letter_of_an_observation_that_is_gone_is_still_told() -> None:
    """Dead letters are kept longer than the inbox."""
    kafka = Kafka()
    letter = kafka.refuse(kafka.take("broken", refusal="bad-field: amount"), Reason.BAD_FIELD)
    assert story(kafka).other_letters == []
    kafka.arrivals.clear()
    assert story(kafka).other_letters == [letter]


def test_after_a_move_to_other_partitions_a_fact_is_still_a_duplicate() -> None:
    """Offsets of different partitions cannot be compared: what is published is published."""
    kafka = Kafka()
    kafka.route(kafka.take("created", CREATED))
    kafka.events[0] = replace(kafka.events[0], source=Position("inbox", 9, 1000))
    [told] = story(kafka).arrivals
    assert fates(told) == [("created", Fate.DUPLICATE)]


def test_a_ledger_of_another_order_gives_the_same_numbers() -> None:
    """Sequence numbers are those of the ledger, whatever the order in which facts came."""
    late = settle(None, Reading(LIVE, (PAID,)), START)
    late = settle(late.entry, Reading(LIVE, (CREATED,)), START)
    kafka = Kafka(entries={LIVE.partition_key: late.entry})
    assert [(fact.action, fact.sequence) for fact in story(kafka).ledger] == [
        ("paid", 1),
        ("created", 2),
    ]
