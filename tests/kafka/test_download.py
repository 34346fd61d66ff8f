"""Fetching Kafka's jars, with stand-ins for Java and Maven."""

from pathlib import Path

import pytest

from tests.kafka.download import DownloadError, MissingToolError, kafka_libs, require_java

INSTALL = "apt-get install -y openjdk-17-jre-headless maven"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder in which commands are searched."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_tool(path: Path, script: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
    path.chmod(0o755)


MAKE_A_JAR = """
for argument; do case $argument in -DoutputDirectory=*) target=${argument#*=};; esac; done
mkdir -p "$target" && touch "$target/kafka.jar"
"""


@pytest.mark.usefixtures("tools")
def test_a_missing_java_says_how_to_install_it() -> None:
    """Without Java the tests fail, with the line that helps."""
    with pytest.raises(MissingToolError, match=INSTALL):
        require_java()


@pytest.mark.parametrize("version", ['"1.8.0_392"', '"11.0.21"', "unknown"])
def test_an_old_java_says_how_to_install_another(tools: Path, version: str) -> None:
    """A Java older than 17 is refused before a broker fails on it."""
    write_tool(tools / "java", f"echo 'openjdk version {version}' >&2")
    with pytest.raises(MissingToolError, match=INSTALL):
        require_java()


@pytest.mark.parametrize("version", ["17.0.15", "21.0.1", "25"])
def test_a_newer_java_serves(tools: Path, version: str) -> None:
    """Java 17 and every later one is accepted."""
    write_tool(tools / "java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
    assert require_java() == str(tools / "java")


@pytest.mark.usefixtures("tools")
def test_a_missing_maven_says_how_to_install_it(tmp_path: Path) -> None:
    """Without Maven the tests fail, with the line that helps."""
    with pytest.raises(MissingToolError, match=INSTALL):
        kafka_libs(tmp_path / "cache")


def test_a_failed_copy_leaves_nothing_to_mistake_for_jars(tools: Path, tmp_path: Path) -> None:
    """A copy that broke off midway is not used; the next one starts afresh."""
    write_tool(tools / "mvn", MAKE_A_JAR + "echo connection lost; exit 1")
    with pytest.raises(DownloadError, match="connection lost"):
        kafka_libs(tmp_path / "cache")
    assert list(tmp_path.glob("cache/*/*")) == []

    write_tool(tools / "mvn", MAKE_A_JAR)
    libs = kafka_libs(tmp_path / "cache")
    assert [jar.name for jar in libs.iterdir()] == ["kafka.jar"]


def test_the_jars_are_copied_once(tools: Path, tmp_path: Path) -> None:
    """Where the jars are there already, Maven is not needed any more."""
    write_tool(tools / "mvn", MAKE_A_JAR)
    libs = kafka_libs(tmp_path / "cache")
    (tools / "mvn").unlink()
    assert kafka_libs(tmp_path / "cache") == libs


def test_a_copy_that_comes_second_gives_way(tools: Path, tmp_path: Path) -> None:
    """Two runs that copy at once end with one whole folder, and neither fails."""
    libs = f"{tmp_path}/cache/kafka-*/"
    write_tool(
        tools / "mvn",
        f"{MAKE_A_JAR}\nfirst=$(echo {libs})libs\nmkdir $first && touch $first/first.jar",
    )
    found = kafka_libs(tmp_path / "cache")
    assert [jar.name for jar in found.iterdir()] == ["first.jar"]
