"""``python -m tests.bench.peers.fastapi``: what people would write with FastAPI.

FastAPI on uvicorn with uvloop and httptools, and one awaited send of aiokafka for each request. No
access log, so that it is measured at its best; payevents writes a line for each webhook.
"""

import hashlib
import hmac
import json
import os
import socket
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import uvicorn
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from fastapi import FastAPI, Header, HTTPException, Request
from fastapi.responses import PlainTextResponse

KEY = os.environ["SIGNING_KEY"].encode()
SERVERS = os.environ["KAFKA_SERVERS"]
TOPIC = os.environ["KAFKA_TOPIC"]
SIGNED_WITH = hashlib.sha256(KEY).hexdigest()[:8]


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Keep one producer, and tell that requests are taken."""
    async with AIOKafkaProducer(bootstrap_servers=SERVERS, acks="all") as producer:
        application.state.producer = producer
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/webhooks/{account}", response_class=PlainTextResponse)
async def receive(
    account: str,
    request: Request,
    x_smartpay_topic: Annotated[str, Header()],
    x_smartpay_hmac_sha256: Annotated[str, Header()],
) -> str:
    """Take a webhook: verify it, append it, and only then accept it."""
    body = await request.body()
    signature = b64encode(hmac.digest(KEY, body, "sha256")).decode()
    if not hmac.compare_digest(signature, x_smartpay_hmac_sha256):
        raise HTTPException(401, "the signature is wrong")
    headers = {
        "payevents-account": account,
        "payevents-origin": "webhook",
        "payevents-topic": x_smartpay_topic,
        "payevents-received-at": datetime.now(UTC).isoformat(),
        "payevents-request-id": uuid4().hex,
        "payevents-signed-with": SIGNED_WITH,
    }
    try:
        await request.app.state.producer.send_and_wait(
            TOPIC,
            body,
            key=resource_key(account, body).encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
    except KafkaError as error:
        raise HTTPException(503, "not durable", {"Retry-After": "5"}) from error
    return "accepted\n"


def resource_key(account: str, body: bytes) -> str:
    """Return the key of the invoice or order that the body names."""
    try:
        fields = json.loads(body)
    except ValueError:
        fields = {}
    for kind in ("invoice", "order"):
        if named := fields.get(f"{kind}_id"):
            return f"smartpay/{account}/{kind}/{named}"
    return f"smartpay/{account}/unknown/{hashlib.sha256(body).hexdigest()}"


class Server(uvicorn.Server):
    """uvicorn, telling its port once it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print one line."""
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(json.dumps({"port": port}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    Server(
        uvicorn.Config(
            app, port=0, loop="uvloop", http="httptools", access_log=False, log_level="warning"
        )
    ).run()
