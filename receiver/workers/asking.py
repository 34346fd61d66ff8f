"""Asking workers: HTTP to the unix socket of each one's admin listener."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, UnixConnector, hdrs

from receiver.workers.worker import Worker

ANSWER_WITHIN: Final = 3.0
"""Seconds that a worker may take to tell how it is; whoever asks has patience of its own."""

_CONNECT_WITHIN: Final = 3.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered: a status, and a body."""

    status: int
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the object in the body.

        Raises:
            ValueError: there is none.
        """
        told = orjson.loads(self.body)
        if not isinstance(told, dict):
            raise ValueError("the answer is no object")  # noqa: TRY004 - of JSON, as any other fault in it
        return told


class AdminOf:
    """The admin listener of one worker; ``token`` is the one that all listeners have."""

    def __init__(self, worker: Worker, path: Path, token: str | None) -> None:
        self.worker = worker
        self.session = ClientSession(
            "http://localhost",
            connector=UnixConnector(str(path)),
            # What passes through here passes unchanged, and takes as long as it takes.
            auto_decompress=False,
            timeout=ClientTimeout(total=None, sock_connect=_CONNECT_WITHIN),
        )
        self._headers = {} if token is None else {hdrs.AUTHORIZATION: f"Bearer {token}"}

    async def ask(self, path: str) -> Answer | None:
        """Return the answer to a GET; None if there is none in :data:`ANSWER_WITHIN`."""
        if not self.worker.answers:
            return None
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN),
                self.session.get(path, headers=self._headers) as response,
            ):
                return Answer(response.status, await response.read())
        except (ClientError, OSError, TimeoutError):
            return None

    async def close(self) -> None:
        """Close its connections."""
        await self.session.close()


async def ask_all(admins: Sequence[AdminOf], path: str) -> list[tuple[Worker, Answer | None]]:
    """Ask all workers at once; return what each one answered."""
    answers = await asyncio.gather(*(admin.ask(path) for admin in admins))
    return [(admin.worker, answer) for admin, answer in zip(admins, answers, strict=True)]
