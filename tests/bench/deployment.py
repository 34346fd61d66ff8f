"""A deployment as an operator would have it: an account of each provider, the default settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from config.account import AccountSettings
from receiver.accounts.providers import installed_providers
from receiver.sandbox.host import SandboxHost
from receiver.sandbox.snippet import as_toml
from tests.bench.bench import Bench
from tests.kafka.cluster import Cluster
from tests.kafka.ports import free_ports
from tests.kafka.test_spine import made
from tests.support.configuration import SIGNING_KEY


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where one is: its topics exist, its providers answer, and nobody serves yet.

    ``config`` is its file's text; the ports are of the loopback interface.
    """

    cluster: Cluster
    prefix: str
    config: str
    port: int
    admin_port: int

    @property
    def webhooks(self) -> str:
        """The URL of the account that takes webhooks."""
        return f"http://127.0.0.1:{self.port}/webhooks/smartpay"

    @property
    def inbox(self) -> str:
        """The topic of observations."""
        return f"{self.prefix}payevents.inbox"


@asynccontextmanager
async def deployment(bench: Bench, *, http: str = "") -> AsyncIterator[Deployment]:
    """Yield a deployment with topics of its own; ``http`` are more lines of that group."""
    cluster, prefix = await bench.cluster(), bench.prefix()
    port, admin_port = free_ports(2)
    async with AsyncExitStack() as providers:
        accounts = [
            await _account(name, providers) for name in ("smartpay", "subscriply", "voucherry")
        ]
        config = f"""
[http]
host = "127.0.0.1"
port = {port}
{http}
[admin]
port = {admin_port}
[kafka]
bootstrap_servers = "{cluster.bootstrap_servers}"
topic_prefix = "{prefix}"
replication_factor = 1
[spool]
directory = "{bench.folder / f"spool-{prefix}"}"
[observability]
log_format = "json"
{"".join(as_toml(account) for account in accounts)}
"""
        await asyncio.to_thread(made, config, bench.folder)
        yield Deployment(cluster, prefix, config, port, admin_port)


async def _account(name: str, providers: AsyncExitStack) -> AccountSettings:
    sandbox = installed_providers()[name].sandbox()
    host = await providers.enter_async_context(SandboxHost(sandbox))
    account = sandbox.account(name, host.base_url)
    if "api_key" in type(account).model_fields:
        # Known to whoever signs the webhooks of the load.
        return account.model_copy(update={"api_key": SecretStr(SIGNING_KEY)})
    return account
