"""The configuration for production, and the compose file that mounts it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.payevents import COMMAND
from tests.unit.deploy.files import DEPLOY
from tests.unit.docs.test_pages import runs

CONFIG = DEPLOY / "payevents.toml"
COMPOSE = (DEPLOY / "compose.yaml").read_text()
_COMMENTED_KEY = re.compile(r"^#(?=\[|[a-z_]+ = )", re.MULTILINE)


def check(config: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run check-config on a configuration whose secret files are made in a folder."""
    for name in set(re.findall(r'"/run/secrets/(\w+)"', config)):
        (folder / name).write_text(f"the secret called {name}\n")
    (folder / "accounts").mkdir()
    written = folder / "payevents.toml"
    written.write_text(
        config.replace("/run/secrets", str(folder)).replace("/etc/payevents", str(folder))
    )
    return subprocess.run(
        [COMMAND, "check-config", "--config", written],
        env={k: v for k, v in os.environ.items() if not k.startswith("PAYEVENTS_")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_is_right(tmp_path: Path) -> None:
    """check-config accepts it as it is, without a warning."""
    done = check(CONFIG.read_text(), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert ": 1 account\n" in done.stdout


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    """With every key in use that it only shows, check-config accepts it still."""
    config = CONFIG.read_text()
    # Of two ways to write a key only the second is kept.
    config = config.replace('bootstrap_servers = "kafka-1:9092,kafka-2:9092,kafka-3:9092"\n', "")
    done = check(_COMMENTED_KEY.sub("", config), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 accounts" in done.stdout


def test_a_misspelt_key_would_be_found(tmp_path: Path) -> None:
    """check-config reads what the tests above give it."""
    done = check(CONFIG.read_text().replace("max_bytes", "max_byte"), tmp_path)
    assert done.returncode == 2
    assert 'did you mean "max_bytes"' in done.stderr


@pytest.mark.parametrize("secret", sorted(set(re.findall(r"payevents_\w+", COMPOSE))))
def test_compose_gives_the_secrets_that_are_read(secret: str) -> None:
    """A secret that the compose file mounts is one that the configuration reads."""
    assert f'_file = "/run/secrets/{secret}"' in CONFIG.read_text()


def test_compose_names_what_there_is() -> None:
    """The files it mounts and builds from exist, and its commands are the program's."""
    mounted = re.findall(r"^ +- (\./[^:]+):", COMPOSE, re.MULTILINE)
    [dockerfile] = re.findall(r"dockerfile: (\S+)", COMPOSE)
    [context] = re.findall(r"context: (\S+)", COMPOSE)
    assert mounted == ["./payevents.toml"]
    assert (DEPLOY / mounted[0]).exists()
    assert (DEPLOY / context / dockerfile).exists()
    commands = re.findall(r"command: \[(.+)\]", COMPOSE)
    assert commands
    for command in commands:
        assert runs(f"payevents {command.replace(',', '')}")


def test_compose_sets_keys_that_there_are(tmp_path: Path) -> None:
    """The variables it sets override keys: with them the configuration is still right."""
    variables = dict(re.findall(r"(PAYEVENTS_\w+): \"?([^\"\n]+)", COMPOSE))
    assert variables
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        (tmp_path / "token").write_text("a token")
        patch.setenv("PAYEVENTS_ADMIN__TOKEN_FILE", str(tmp_path / "token"))
        patch.setenv("PAYEVENTS_ACCOUNTS__SHOP__API_KEY_FILE", str(tmp_path / "token"))
        done = subprocess.run(
            [COMMAND, "check-config", "--config", CONFIG],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert "replication_factor is 1" in done.stderr
