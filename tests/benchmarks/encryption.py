"""What encryption at rest adds to the processor time of a message that is accepted.

The same version accepts 5 kB on kept TLS connections, on SQLite, with and without it, in
alternating rounds. The last line is the ratio: 1.1 is a tenth more.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from tests.benchmarks import ready

# isort: split
from portal.demo.certificates import Authority
from tests.benchmarks.speed import Round, accept, even, measure_sides
from tests.benchmarks.speed_sides import FarServer, Setting, postern_side
from tests.benchmarks.worktrees import HOME
from tests.encryption import MASTER_KEY
from tests.peers.process import remove_folder

CLEAR, ENCRYPTED = "in clear", "encrypted"
CONFIGURATIONS = {
    CLEAR: {},
    ENCRYPTED: {"POSTERN_ENCRYPTION": "true", "POSTERN_MASTER_KEY": MASTER_KEY},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000, help="accepted a round")
    parser.add_argument("--rounds", type=int, default=5, help="of each side")
    options = parser.parse_args()
    authority = Authority(ready.FOLDER / "tls")
    with ExitStack() as stack:
        far = FarServer(authority)
        stack.enter_context(far.postfix)
        sides = [
            stack.enter_context(
                postern_side(
                    name,
                    HOME,
                    Setting(
                        name,
                        is_postgresql=False,
                        processes=1,
                        configuration=configuration,
                    ),
                    authority,
                    far,
                )
            )
            for name, configuration in CONFIGURATIONS.items()
        ]
        given = Round(even(options.messages), far)
        for side in sides:
            accept(side, Round(even(options.messages / 20), far))
        costs = measure_sides(sides, given, accept, options.rounds)
    for name, cost in costs.items():
        print(
            f"{name:10} {cost.rate:7.1f} a second,"
            f" {cost.processor * 1000:7.3f} ms of processor time each"
        )
    print(f"ratio {costs[ENCRYPTED].processor / costs[CLEAR].processor:.2f}")


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
