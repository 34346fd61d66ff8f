"""The demo as a newcomer runs it: a command, without a terminal, on the embedded broker."""

import re
import signal
import subprocess

from tests.support.payevents import COMMAND

EVERY_KIND = {
    "payments.invoice.created",
    "payments.invoice.paid",
    "payments.invoice.failed",
    "payments.invoice.cancelled",
    "payments.order.created",
    "payments.order.cancelled",
    *(
        f"payments.{kind}.{action}"
        for kind in ("charge", "refund")
        for action in ("succeeded", "declined", "voided", "updated")
    ),
    *(
        f"payments.{kind}.{action}"
        for kind in ("transfer", "transfer_request")
        for action in ("requested", "confirmed", "updated")
    ),
}
"""What a webhook or a poll can show."""


def test_the_demo_shows_every_kind_of_event_exactly_once() -> None:
    """`payevents demo --seconds 20` ends by itself with exit code 0 and a sum that is right."""
    done = subprocess.run(
        [COMMAND, "demo", "--seconds", "20"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.findall(r"payments\.[a-z_]+\.[a-z]+", done.stdout.split("events by type")[0])
    assert set(shown) >= EVERY_KIND
    told = re.search(r"caused (\d+) facts, (\d+) events arrived: each exactly once", done.stdout)
    assert told is not None
    assert told[1] == told[2]
    assert "dead letter smartpay-demo: no-id: the body names no invoice" in done.stdout
    counted = re.search(r"refused (\d+) · published (\d+) · duplicates dropped (\d+)", done.stdout)
    assert counted is not None
    assert (counted[1], counted[2]) == ("1", told[2])
    assert int(counted[3]) > 0


def test_ctrl_c_ends_the_demo_cleanly() -> None:
    """Ctrl-C ends everything the demo started, with the summary, and with exit code 0."""
    process = subprocess.Popen([COMMAND, "demo"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            if "payments.invoice.paid" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = lines.read()
    assert process.wait(60) == 0, rest
    assert "each exactly once" in rest


def test_an_unreachable_kafka_is_said_in_a_line() -> None:
    """A Kafka that is not there gives a clear error and exit code 1, not a traceback."""
    done = subprocess.run(
        [COMMAND, "demo", "--seconds", "1", "--bootstrap-servers", "127.0.0.1:1"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1
    assert "error:" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
