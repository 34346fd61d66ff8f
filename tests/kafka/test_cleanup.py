"""Topics whose clean-up would lose records, against Apache Kafka: blamed until they keep them."""

import asyncio
import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.kafka.cluster import JVM_FLAGS, Cluster
from tests.kafka.download import kafka_libs, require_java
from tests.kafka.test_operator import ask, command, eventually, until_it_is
from tests.support.configuration import service_config
from tests.support.payevents import Payevents
from tests.support.webhooks import invoice, post

TOOL = "kafka-configs.sh "


def run_as_told(told: str, folder: Path) -> None:
    """Run the command of Apache Kafka that ``told`` ends with."""
    _, _, arguments = told.partition(TOOL)
    java = [require_java(), *JVM_FLAGS, "-cp", f"{kafka_libs()}/*", "kafka.admin.ConfigCommand"]
    done = subprocess.run(
        [*java, *shlex.split(arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "policy"),
    [("payevents.ledger", "delete"), ("payevents.inbox", "compact")],
)
async def test_a_topic_that_loses_records_is_an_alarm_until_it_keeps_them(
    kafka_cluster: Cluster, topic_prefix: str, tmp_path: Path, name: str, policy: str
) -> None:
    """`topics create` and the doctor fail, the service takes webhooks, and the command mends it."""
    topic = f"{topic_prefix}{name}"
    config = {"cleanup.policy": policy}
    await asyncio.to_thread(kafka_cluster.create_topic, topic, 4, config)
    settings = service_config(kafka_cluster.bootstrap_servers, topic_prefix, tmp_path)
    with Payevents(settings, tmp_path) as service:
        made = await asyncio.to_thread(command, service.config, "topics", "create", expect=1)
        assert f"error: {topic}: cleanup.policy is {policy}" in made.stderr
        doctor = await asyncio.to_thread(command, service.config, "doctor", "--json", expect=1)
        [wrong] = [f for f in json.loads(doctor.stdout)["findings"] if f["verdict"] == "wrong"]
        assert made.stderr.rstrip().endswith(wrong["remedy"])

        async def codes() -> list[str]:
            _, status = await ask(f"{service.admin}/v1/status")
            return [alarm["code"] for alarm in status["alarms"]]

        async def alarmed() -> bool:
            return await codes() == ["topic-loses-records"]

        await eventually(alarmed, "no alarm about the topic alone")
        report = await until_it_is(service, "degraded")
        assert report["ready"]
        assert wrong["told"] in report["parts"]["topics"]["why"]
        assert await post(f"{service.webhooks}/shop", invoice("i1")) == 200
        await asyncio.to_thread(run_as_told, wrong["remedy"], tmp_path)
        await until_it_is(service, "ok")
        assert await codes() == []
        await asyncio.to_thread(command, service.config, "topics", "create")
