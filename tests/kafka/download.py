"""Apache Kafka's jars: copied once by Maven into the checkout's cache.

`python -m tests.kafka.download` does it ahead of the tests.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

INSTALL_LINE = "apt-get install -y openjdk-17-jre-headless maven"
JAVA_MINIMUM = 17
"""Kafka 4 brokers run on this major version of Java or a later one."""

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache"


class MissingToolError(RuntimeError):
    """Java or Maven is missing or too old; the message says how to install both."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; the Kafka tests need both Java and Maven: {INSTALL_LINE}")


class DownloadError(RuntimeError):
    """Maven could not copy the jars; the message ends with what it printed."""


def require_java() -> str:
    """Return the path of `java`; raise MissingToolError if it is missing or too old."""
    java = shutil.which("java")
    if java is None:
        raise MissingToolError("java was not found")
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', answer.stderr)
    if version is None or int(version[1]) < JAVA_MINIMUM:
        found = answer.stderr.partition("\n")[0]
        message = f"java {JAVA_MINIMUM} or later is needed, {java} says: {found}"
        raise MissingToolError(message)
    return java


def kafka_libs(cache: Path = CACHE) -> Path:
    """Return the folder of Kafka's jars under `cache`, copying them there if they are missing.

    Raises MissingToolError without Maven and DownloadError if Maven fails. An interrupted copy
    leaves nothing that a later one could take for whole.
    """
    libs = cache / f"kafka-{_pinned_version()}" / "libs"
    if libs.is_dir():
        return libs
    libs.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="incomplete-", dir=libs.parent) as workspace:
        copied = Path(workspace) / "libs"
        _copy_jars(copied)
        try:
            copied.rename(libs)
        except OSError:
            # Another process that did the same was first.
            if not libs.is_dir():
                raise
    return libs


def _pinned_version() -> str:
    pin = re.search(r"<kafka\.version>(.+?)</kafka\.version>", POM.read_text())
    if pin is None:
        message = f"{POM} pins no kafka.version"
        raise DownloadError(message)
    return pin[1]


def _copy_jars(target: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise MissingToolError("mvn was not found")
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={target}"]
    answer = subprocess.run(
        [mvn, "-q", "-B", "-f", POM, *goal],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0 or not target.is_dir():
        message = f"mvn ended with {answer.returncode} and no jars:\n{answer.stdout}"
        raise DownloadError(message)


if __name__ == "__main__":
    require_java()
    kafka_libs()
