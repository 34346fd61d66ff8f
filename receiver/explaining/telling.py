"""A story in lines for people."""

from collections.abc import Iterator, Mapping

from handlers.clock import rfc3339
from handlers.fact import Fact
from handlers.history import Silence
from handlers.observation import Position
from receiver.dead_letters.advice import advice
from receiver.explaining.evidence import SeenEvent, SeenLetter, SeenLookUp, Spooled
from receiver.explaining.story import Fate, Remembered, Story, ToldArrival, ToldFact

_BECAUSE: Mapping[Silence, str] = {
    Silence.HISTORY: "it is from before import_since",
    Silence.FORGOTTEN: "it may have been published and forgotten",
    Silence.EITHER: "it is from before import_since, or may have been published and forgotten",
}


def lines(story: Story) -> Iterator[str]:
    """Yield the story line by line; what belongs to the line before is indented."""
    yield from _head(story)
    for told in story.arrivals:
        yield from _arrival(told)
    yield from map(told_spooled, story.evidence.spooled)
    if story.ledger:
        yield "the ledger holds:"
        yield from (f"  {_remembered(fact)}" for fact in story.ledger)
    if story.other_letters:
        yield "dead letters whose observations were not found there:"
        yield from (f"  {_letter(letter)}" for letter in story.other_letters)


def told_spooled(spooled: Spooled) -> str:
    """Return the line about an observation in a spool file."""
    return (
        f"{rfc3339(spooled.received_at)}  {spooled.topic}: in the spool of this host, not in"
        f" Kafka yet ({spooled.file}), sha256 {spooled.digest}"
    )


def _head(story: Story) -> Iterator[str]:
    evidence = story.evidence
    statuses = [f"{key} is {status}" for key, status in story.statuses.items() if status]
    yield "; ".join(statuses) or f"{evidence.subject.inbox_key}: nothing of it was published"
    kept = evidence.kept_since
    read = "nothing there" if kept is None else f"read from {rfc3339(kept)} on"
    routed = "nothing routed yet" if evidence.routed is None else f"routed before {evidence.routed}"
    yield f"inbox partition {evidence.partition}: {read}, {routed}"
    if evidence.left_out:
        yield f"{evidence.left_out} older observations are left out"
    if not evidence.arrivals:
        yield "no observation of it was found there"


def _arrival(told: ToldArrival) -> Iterator[str]:
    arrival = told.arrival
    observation = arrival.observation
    topic = observation.topic or "(no topic)"
    yield (
        f"{rfc3339(observation.received_at)}  {observation.origin} {topic}, inbox"
        f" {_place(arrival.at)}"
    )
    words = [
        f"sha256 {arrival.digest}"
        if told.same_bytes_as is None
        else f"the same bytes as {_place(told.same_bytes_as)}",
    ]
    if observation.request_id:
        words.append(f"request {observation.request_id}")
    if observation.letter_id:
        words.append(f"redriven from dead letter {observation.letter_id}")
    if observation.verdict:
        words.append(f"looked up: {observation.verdict}")
    yield f"  {', '.join(words)}"
    yield from (f"  {line}" for line in _consequences(told))


def _consequences(told: ToldArrival) -> Iterator[str]:
    says = told.arrival.says
    if not told.is_routed:
        yield "not routed yet"
    for fact in told.facts:
        yield _fact(fact)
    if says.is_unknown:
        named = repr(told.arrival.observation.account)
        yield f"it cannot be interpreted here: this configuration has no account {named}"
    elif says.refusal:
        yield f"it cannot be read: {says.refusal}"
    if says.claim is not None:
        what = f"{says.claim.kind} {says.claim.action}".strip()
        claimed = what if told.claim is None else _fact(told.claim)
        yield f"its topic claims more than its body shows, {claimed}"
    if not (told.facts or says.refusal or says.claim):
        yield "it asserts nothing about a resource"
    yield from (_look_up(look_up) for look_up in told.look_ups)
    yield from (_letter(letter) for letter in told.letters)


def _fact(told: ToldFact) -> str:
    name = _name(told.fact)
    by = "" if told.by is None else f" by {_place(told.by)}"
    event = "" if told.event is None else f" as event {_event(told.event)}"
    sequence = "" if told.sequence is None else f", sequence {told.sequence}"
    match told.fate:
        case Fate.PUBLISHED:
            return f"{name}: published{event or ', the event is kept no more'}{sequence}"
        case Fate.DUPLICATE:
            return f"{name}: dropped, already published{by}"
        case Fate.LATER:
            return f"{name}: published later{by}{event}{sequence}"
        case Fate.SILENT:
            return f"{name}: entered in the ledger, {_without_event(told.silence)}"
        case Fate.WAITS:
            return f"{name}: waits to be routed"
        case Fate.UNPUBLISHED:
            return f"{name}: not published"


def _without_event(why: Silence | None) -> str:
    because = "" if why is None else f" ({_BECAUSE[why]})"
    return f"without an event{because}"


def _name(fact: Fact) -> str:
    dated = "" if fact.occurred_at is None else f" at {rfc3339(fact.occurred_at)}"
    return f"{fact.action}{' (test)' if fact.resource.test else ''}{dated}"


def _event(event: SeenEvent) -> str:
    marks = [mark for mark in ("inferred", "late") if getattr(event, mark)]
    marked = f" ({', '.join(marks)})" if marks else ""
    return f"{event.id} at {event.at.topic} {_place(event.at)}{marked}"


def _look_up(look_up: SeenLookUp) -> str:
    state = f"under way, {look_up.state}" if look_up.state else "ended"
    return f"the provider was to be asked at {rfc3339(look_up.asked_at)}: {state}"


def _letter(seen: SeenLetter) -> str:
    letter = seen.letter
    return (
        f"dead letter {letter.id}: {letter.reason}, {letter.detail} (count {letter.count}, last at"
        f" {letter.last_at}); what to do: {advice(letter.reason).what_to_do}"
    )


def _remembered(fact: Remembered) -> str:
    is_silent = fact.sequence is None
    sequence = _without_event(fact.silence) if is_silent else f"sequence {fact.sequence}"
    words = [
        f"{fact.action}{' (test)' if fact.test else ''}, {sequence}",
        f"observed at {rfc3339(fact.observed_at)}",
    ]
    if fact.unannounced:
        words.append("published by a reconciliation, and announced by no webhook so far")
    elif fact.announced_by is not None:
        words.append(
            f"published by a reconciliation, and announced later by {_place(fact.announced_by)}"
        )
    if fact.event is not None:
        words.append(f"event {_event(fact.event)}")
        if not fact.told:
            words.append(f"its observation, {_place(fact.event.source)}, was not found there")
    elif fact.sequence is not None:
        words.append("its event is kept no more")
    return ", ".join(words)


def _place(at: Position) -> str:
    return f"{at.partition}/{at.offset}"
