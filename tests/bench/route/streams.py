"""The peer on Kafka Streams: built by Maven, started as a program."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from tests.bench.bench import ROOT, Bench
from tests.bench.program import Program
from tests.kafka.download import CACHE, require_java

_SOURCES = ROOT / "tests" / "bench" / "peers" / "streams"
_BUILT = CACHE / "streams-peer"
_HEAP = "1g"
INSTALL_LINE = "apt-get install -y openjdk-17-jdk-headless maven"


class NotBuiltError(RuntimeError):
    """The peer could not be built; the message says why, and how to install what is missing."""


async def streams(bench: Bench, servers: str, inbox: str, events: str) -> Program:
    """Return the peer between two topics, not started yet.

    Raises:
        MissingToolError: Java is missing.
        NotBuiltError: Maven or Java's compiler is missing, or could not build it.
    """
    java = require_java()
    await asyncio.to_thread(_build)
    jars = os.pathsep.join(map(str, (_BUILT / "streams-peer-1.jar", _BUILT / "libs" / "*")))
    # What the JVM itself chooses for one core, and a heap that never is the limit.
    flags = ["-XX:+UseSerialGC", f"-Xms{_HEAP}", f"-Xmx{_HEAP}"]
    logs = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
    state = bench.folder / "streams-state"
    main = "payevents.bench.App"
    return Program([java, *flags, logs, "-cp", jars, main, servers, inbox, events, state])


def _build() -> None:
    jar = _BUILT / "streams-peer-1.jar"
    newest = max(file.stat().st_mtime for file in _files(_SOURCES))
    if jar.exists() and jar.stat().st_mtime > newest:
        return
    for tool in ("mvn", "javac"):
        if shutil.which(tool) is None:
            raise NotBuiltError(f"{tool} was not found: {INSTALL_LINE}")
    answer = subprocess.run(
        ["mvn", "-q", "-B", "-f", _SOURCES / "pom.xml", "package"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        raise NotBuiltError(f"mvn ended with {answer.returncode}:\n{answer.stdout}")


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
