"""Consumer groups from outside: who takes part."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest_v2
from aiokafka.protocol.api import Request

from receiver.kafka.clients import Clients

_ANSWER_WITHIN = 30.0
_TRY_AGAIN_AFTER = 0.2


class _DescribeGroup(Request[DescribeGroupsRequest_v2]):  # type: ignore[misc] # has no types
    """Asks in version 2: aiokafka 0.14 cannot read the answer to its own version 3."""

    API_KEY = DescribeGroupsRequest_v2.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequest_v2]) -> object:
        return request_struct_class([self._group])


async def members_of(clients: Clients, groups: Sequence[str]) -> list[str]:
    """Return a line for each member of ``groups``: its group, client id and host.

    A member that was killed is one until its session timed out.

    Raises:
        KafkaError: the cluster cannot be reached, or does not let us ask.
        TimeoutError: it does not answer.
    """
    admin = clients.admin()
    async with asyncio.timeout(_ANSWER_WITHIN):
        await admin.start()
        try:
            return [line for group in groups for line in await _members(admin, group)]
        finally:
            await admin.close()


async def _members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    while True:
        try:
            described = await _describe(admin, group)
        except KafkaError as error:
            # The coordinator is on its way to another broker, or the cluster never had one yet.
            if not error.retriable:
                raise
            await asyncio.sleep(_TRY_AGAIN_AFTER)
        else:
            return [
                f"{group}: {member['client_id']} at {member['client_host'].lstrip('/')}"
                for member in described["members"]
            ]


async def _describe(admin: AIOKafkaAdminClient, group: str) -> dict[str, Any]:
    coordinator = await admin.find_coordinator(group)
    answer = await admin._send_request_to_node(coordinator, _DescribeGroup(group))  # noqa: SLF001 - see _DescribeGroup
    [described] = answer.to_object()["groups"]
    if described["error_code"]:
        raise for_code(described["error_code"])(f"group {group} cannot be described")
    return dict(described)
