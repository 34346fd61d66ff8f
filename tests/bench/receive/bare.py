"""``python -m tests.bench.receive.bare``: the limit, a bare aiohttp handler that answers 200.

It reads the body and does nothing with it. With ``--signed`` it also checks the signature and finds
the key of the record as payevents does, and still appends nothing: what is between the two is the
price of that alone.
"""

import asyncio
import json
import socket
import sys
from datetime import UTC, datetime

import uvloop
from aiohttp import web
from pydantic import SecretStr

from handlers.smartpay.handler import SmartPayHandler
from handlers.smartpay.settings import SmartPaySettings
from tests.bench.receive.traffic import ACCOUNT
from tests.support.configuration import SIGNING_KEY


async def bare(request: web.BaseRequest) -> web.Response:
    """Read the body; answer 200."""
    await request.read()
    return web.Response(text="accepted\n")


async def signed(request: web.BaseRequest) -> web.Response:
    """Read the body, verify it, find its key; answer 200."""
    body = await request.read()
    topic, _ = HANDLER.verify(request.headers, body, datetime.now(UTC))
    HANDLER.inbox_key(topic, body)
    return web.Response(text="accepted\n")


HANDLER = SmartPayHandler(
    SmartPaySettings(name=ACCOUNT, provider="smartpay", api_key=SecretStr(SIGNING_KEY))
)


async def main(*, verify: bool) -> None:
    """Serve until killed; tell the port."""
    runner = web.ServerRunner(web.Server(signed if verify else bare, access_log=None))
    await runner.setup()
    bound = socket.create_server(("127.0.0.1", 0), backlog=1024)
    await web.SockSite(runner, bound).start()
    sys.stdout.write(json.dumps({"port": bound.getsockname()[1]}) + "\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(verify="--signed" in sys.argv))
