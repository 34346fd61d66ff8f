"""Configurations for tests, as an operator would write them."""

from pathlib import Path

SIGNING_KEY = "a-key-of-the-tests"


def service_config(
    bootstrap_servers: str,
    prefix: str,
    spool: Path,
    *,
    partitions: int = 4,
    replication_factor: int = 1,
    session_timeout: str = "6s",
    accounts: str = "",
) -> str:
    """Return a TOML configuration: free ports, short time-outs, a SmartPay account ``shop``."""
    return f"""
[http]
host = "127.0.0.1"
port = 0
drain_delay = "0s"
[admin]
port = 0
[kafka]
bootstrap_servers = "{bootstrap_servers}"
topic_prefix = "{prefix}"
partitions = {partitions}
replication_factor = {replication_factor}
session_timeout = "{session_timeout}"
transaction_timeout = "10s"
[spool]
directory = "{spool}"
[observability]
log_format = "json"
[accounts.shop]
provider = "smartpay"
api_key = "{SIGNING_KEY}"
base_url = "http://127.0.0.1:9"
{accounts}
"""
