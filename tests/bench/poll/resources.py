"""Transfer requests of Voucherry as its documents show them, no two alike."""

import json
from random import Random

KIND = "cherries_requests"


def resources(count: int, base_url: str, seed: int = 11) -> dict[str, bytes]:
    """Return so many that wait for their confirmation, by the path that each is read by.

    They are about 500 bytes long, in different orders: somebody's metadata goes with them.
    """
    rng = Random(seed)
    return {f"/{KIND}/{number}": _resource(number, base_url, rng) for number in range(count)}


def _resource(number: int, base_url: str, rng: Random) -> bytes:
    fields = [
        ("id", number),
        ("cherries_amount", rng.randrange(1, 10_000)),
        ("status", "waiting_for_confirmation"),
        ("created_at", f"2026-01-{rng.randrange(1, 29):02}T12:00:{rng.randrange(60):02}.000Z"),
        ("invite_id", rng.randrange(10**6)),
        ("url", f"{base_url}/{KIND}/{number}"),
        ("metadata", {"note": rng.randbytes(rng.randrange(90, 150)).hex()}),
    ]
    rng.shuffle(fields)
    return json.dumps(dict(fields)).encode()
