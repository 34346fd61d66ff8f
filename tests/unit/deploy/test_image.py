"""The image, as far as it can be judged without building it."""

import json
import os
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.unit.deploy.files import DEPLOY, ROOT, instructions, pins

DOCKERFILE = instructions(DEPLOY / "Dockerfile")
PACKAGES = ("config", "handlers", "receiver")


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Serve /livez with a status on a free port; 404 elsewhere."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def is_healthy(port: int) -> bool:
    """Run the image's health check against a port of this machine."""
    _, check = next(i for i in DOCKERFILE if i[0] == "HEALTHCHECK")
    program, *arguments = json.loads(check[check.index("[") :])
    assert program == "python"
    # A proxy that is not there: the check must not ask it.
    environment = {"PAYEVENTS_ADMIN__PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        check=False,
        timeout=30,
        stderr=subprocess.DEVNULL,
    )
    return done.returncode == 0


def test_the_health_check_asks_livez() -> None:
    """It succeeds for 200 at /livez of the admin port, and fails for 503 and for nobody there."""
    with answering(200) as port:
        assert is_healthy(port)
    assert not is_healthy(port)
    with answering(503) as port:
        assert not is_healthy(port)


def test_everything_copied_is_there_and_sent() -> None:
    """Each file that is copied from the checkout exists, and .dockerignore lets it through."""
    copied = [
        source
        for word, rest in DOCKERFILE
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    ]
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in sent, source
    assert set(PACKAGES) <= set(copied)


def test_the_image_does_not_run_as_root() -> None:
    """The last USER is a number other than 0."""
    users = [rest for word, rest in DOCKERFILE if word == "USER"]
    assert users
    assert int(users[-1].split(":")[0]) > 0


def test_only_locked_wheels_are_installed() -> None:
    """Every pip install checks hashes, but for the wheel just built, which brings nothing along."""
    runs = [rest for word, rest in DOCKERFILE if word == "RUN"]
    installs = [part for run in runs for part in run.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        own = "--no-deps" in install and "--no-index" in install and "dist/*.whl" in install
        assert own or "--require-hashes" in install, install
    for lock in ("requirements.lock", "requirements-build.lock"):
        assert any(f"-r deploy/{lock}" in install for install in installs)
        assert all(pins(DEPLOY / lock).values()), "a requirement without a hash"


def test_the_build_lock_is_a_part_of_the_developers_lock() -> None:
    """What builds the wheel is pinned as in the lock that the tests ran with, and is complete."""
    build, everything = (
        pins(DEPLOY / "requirements-build.lock"),
        pins(DEPLOY / "requirements-dev.lock"),
    )
    assert {name: everything.get(name) for name in build} == build
    names = {pin.split("==")[0] for pin in build}
    assert "hatchling" in names
    for name in names:
        needed = map(Requirement, requires(name) or [])
        wanted = {n.name for n in needed if n.marker is None or n.marker.evaluate({"extra": ""})}
        assert wanted <= names, name


def test_the_demo_lock_is_what_the_demo_extra_asks_for() -> None:
    """The embedded broker is pinned once more, since it is installed only where it has a wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert list(pins(DEPLOY / "requirements-demo.lock")) == project["optional-dependencies"]["demo"]
    assert all(pins(DEPLOY / "requirements-demo.lock").values()), "a requirement without a hash"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from what the image's build copies, as it builds it."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    [built] = (folder / "dist").glob("*.whl")
    return built


def test_the_wheel_is_whole(wheel: Path) -> None:
    """It holds all of the three packages, the console's page too, and the command and providers."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        told = archive.read(entry_points).decode()
    sources = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "receiver/console/page/index.html" in sources
    assert {f"{package}/py.typed" for package in PACKAGES} <= sources
    assert sources <= names
    assert not any(name.startswith(("tests", "docs", "deploy")) for name in names)
    assert "payevents = receiver.cli:main" in told
    for provider in ("smartpay", "subscriply", "voucherry"):
        assert f"{provider} = handlers.{provider}:provider" in told
