"""What signing and sealing cost a relayed message: with both on, beside both off.

Two engines of this version, one of which has published keys. A Postfix relays through
each to another Postfix; rounds alternate. Each message gets four signatures: DKIM by RSA
and by Ed25519, and those of an ARC set, both by RSA. The last line is the ratio of the
rates, with both on to both off.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from tests.benchmarks import ready

# isort: split
from portal.demo.certificates import Authority
from tests.benchmarks.speed import SETTINGS, Round, accept, even, measure_sides, relay
from tests.benchmarks.speed_sides import FarServer, postern_side
from tests.benchmarks.worktrees import HOME
from tests.peers.process import remove_folder

SIGNATURES = 4
SIDES = {"both off": False, "both on": True}


def main() -> None:
    options = _options()
    setting = next(one for one in SETTINGS if one.name.startswith(options.on))
    authority = Authority(ready.FOLDER / "tls")
    with ExitStack() as stack:
        far = FarServer(authority)
        stack.enter_context(far.postfix)
        sides = [
            stack.enter_context(
                postern_side(name, HOME, setting, authority, far, signs=signs)
            )
            for name, signs in SIDES.items()
        ]
        given = Round(even(options.messages), far)
        for side in sides:
            accept(side, Round(even(20), far))
        costs = measure_sides(sides, given, relay, options.rounds)
    off, on = costs["both off"], costs["both on"]
    print(f"{given.messages} messages of 5 kB, {setting.name}")
    for name, cost in costs.items():
        print(
            f"  {name:8} {cost.rate:7.1f} a second,"
            f" {cost.processor * 1000:7.3f} ms of processor time each"
        )
    more = (on.processor - off.processor) * 1000
    print(f"  {more:.3f} ms more each, {more / SIGNATURES:.3f} ms a signature")
    print(f"ratio {on.rate / off.rate:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="a round")
    parser.add_argument("--rounds", type=int, default=3, help="of each side")
    parser.add_argument("--on", default="SQLite", help="SQLite or PostgreSQL")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
