"""The command ``payevents`` with one fault."""

import sys

import pytest

from receiver.cli import main
from tests.sabotage.builds import BUILDS

if __name__ == "__main__":
    names, *arguments = sys.argv[1:]
    for name in names.split("+"):
        BUILDS[name](pytest.MonkeyPatch())
    sys.argv = ["payevents", *arguments]
    main()
