"""The reference of all settings, with those of the installed providers.

``python -m receiver.reference FILE`` writes it; docs/configuration.md is made so.
"""

import sys
from pathlib import Path

from config.reference import render
from receiver.accounts.providers import installed_providers


def reference() -> str:
    """Return the reference in Markdown, with the account keys of every installed provider."""
    providers = installed_providers()
    return render({name: providers[name].settings for name in sorted(providers)})


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
