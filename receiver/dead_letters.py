"""Dead letters from outside: listing them, and sending them through the inbox again."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace

from config.topics import Topics
from handlers.letters import Reason
from handlers.observation import Observation
from receiver.kafka.appender import Appender
from receiver.kafka.clients import Clients
from receiver.kafka.snapshot import Row, read_snapshot


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a dead letter says about itself; the body is left where it is."""

    id: str
    account: str
    origin: str
    topic: str
    reason: str
    detail: str
    count: int
    first_at: str
    last_at: str
    inbox_position: str

    def as_json(self) -> dict[str, object]:
        """Return the letter as ``/v1/dead-letters`` shows it."""
        return asdict(self)

    @classmethod
    def of(cls, row: Row) -> "DeadLetter":
        """Return the letter in a record of the dead letters' topic."""
        return cls(
            id=row.key.decode(errors="replace"),
            account=row.header("payevents-account"),
            origin=row.header("payevents-origin"),
            topic=row.header("payevents-topic"),
            reason=row.header("payevents-reason"),
            detail=row.header("payevents-detail"),
            count=int(row.header("payevents-count") or 1),
            first_at=row.header("payevents-first-at"),
            last_at=row.header("payevents-last-at"),
            inbox_position=row.header("payevents-inbox-position"),
        )


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of a wish to redrive: the letters sent, and for each other one why not."""

    sent: list[str]
    refused: dict[str, str]


async def list_letters(
    clients: Clients, topics: Topics, account: str | None = None
) -> list[DeadLetter]:
    """Return the dead letters, or those of one account, the latest last.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    letters = (await read_snapshot(clients, topics.dead_letters, DeadLetter.of)).values()
    wanted = (letter for letter in letters if account is None or letter.account == account)
    return sorted(wanted, key=lambda letter: (letter.last_at, letter.id))


async def read_letters(
    clients: Clients, topics: Topics, letter_ids: Collection[str]
) -> dict[str, Row]:
    """Return the records, with their bodies, of those letters that there are.

    Raises:
        SnapshotFailed: the topic cannot be read.
    """
    wanted = {letter_id.encode(): letter_id for letter_id in letter_ids}

    def if_wanted(row: Row) -> Row | None:
        return row if row.key in wanted else None

    found = await read_snapshot(clients, topics.dead_letters, if_wanted)
    return {wanted[key]: row for key, row in found.items() if row is not None}


async def redrive(
    clients: Clients, appender: Appender, topics: Topics, letter_ids: Collection[str]
) -> Redriven:
    """Append the letters' observations to the inbox again, under the letters' ids.

    A letter goes when its observation has become events; until then it stays.

    Raises:
        SnapshotFailed: the topic cannot be read.
        NotDurable: Kafka did not take one; what was sent before it is sent.
    """
    rows = await read_letters(clients, topics, letter_ids)
    outcome = Redriven([], {})
    for letter_id in dict.fromkeys(letter_ids):
        row = rows.get(letter_id)
        if row is None:
            outcome.refused[letter_id] = "there is no such letter"
        elif row.header("payevents-reason") == Reason.NOT_AN_OBSERVATION:
            outcome.refused[letter_id] = "it was not written by payevents and never can be read"
        else:
            await _resend(appender, topics.inbox, letter_id, row)
            outcome.sent.append(letter_id)
    return outcome


async def _resend(appender: Appender, inbox: str, letter_id: str, row: Row) -> None:
    observation = Observation.from_record(row.headers, row.value)
    # Without the old verdict, so that the provider is asked again.
    again = replace(observation, letter_id=letter_id, verdict=None)
    key = row.header("payevents-inbox-key").encode()
    await appender.append(inbox, key, again.body, headers=again.headers())
