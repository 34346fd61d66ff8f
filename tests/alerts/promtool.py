"""Prometheus' own tool, which knows rules and expressions as Prometheus does."""

import shutil
import subprocess
from pathlib import Path

from tests.unit.deploy.files import ROOT

_FETCHED = ROOT / ".cache" / "promtool"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the machine's promtool, or the one that `make test-alerts` fetched."""
    return subprocess.run(
        [shutil.which("promtool") or _FETCHED, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
