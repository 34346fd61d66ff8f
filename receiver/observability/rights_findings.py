"""What the doctor finds of our rights: whether the authorizer lets us do what the roles must."""

from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from config.settings import Settings
from receiver.kafka.clients import Clients
from receiver.kafka.groups import members_of
from receiver.kafka.rights import forbidden
from receiver.observability.findings import Finding, Verdict
from receiver.pairs import pairs
from receiver.shards.session import Session, SessionLost


async def examine_rights(settings: Settings, clients: Clients) -> list[Finding]:
    """Return which consumer groups and transactional ids we may not use.

    The groups are only described. A transactional id is used, and that is none of the shards', who
    would be fenced: one of the doctor's own, which begins as theirs do.
    """
    found = []
    for pair in pairs(settings).values():
        group = pair.spec.group
        try:
            await members_of(clients, [group])
        except GroupAuthorizationFailedError:
            # aiokafka's own does not name it where the coordinator is asked for.
            found.append(_judged(GroupAuthorizationFailedError(group)))
        except (KafkaError, TimeoutError) as error:
            found.append(_judged(error))
    session = Session(clients, f"{settings.kafka.application}-doctor")
    try:
        await session.start()
    except SessionLost as error:
        found.append(_judged(error))
    finally:
        await session.discard()
    return found or [Finding("rights", Verdict.OK, "consumer groups and transactions may be used")]


def _judged(error: Exception) -> Finding:
    refused = forbidden(error)
    if refused is None:
        return Finding("rights", Verdict.WARNING, f"could not be looked at: {error!r}")
    return Finding("rights", Verdict.WRONG, refused.why, refused.remedy)
