"""The command ``payevents``, grown suspicious within seconds: no test waits for minutes."""

from receiver.cli import main
from receiver.registration import suspicion

USUAL_DELAY = 2.0
"""Seconds after which a webhook that did not come is suspicious, in place of minutes."""

if __name__ == "__main__":
    suspicion.SHORTEST_DELAY = USUAL_DELAY
    main()
