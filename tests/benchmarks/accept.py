"""Messages accepted and stored a second, compared with Postfix and Dovecot.

End to end and durable on both sides: from the first connection until every message is
in a mailbox. Rounds alternate, so that both run on the same machine under the same
conditions; antivirus is off on both. With `--beside COMMIT` the ratio is that to this
version of Postern.
"""

from __future__ import annotations

import argparse
import re
import statistics
from contextlib import ExitStack

from tests.benchmarks import ready

# isort: split
from portal.demo.certificates import Authority
from tests.benchmarks.contenders import Contender, postern, postfix_and_dovecot
from tests.benchmarks.load import OCTETS, Load, Rate, measure
from tests.benchmarks.worktrees import run_both
from tests.peers.process import remove_folder

WARM_UP = Load(messages=200, sessions=20)


def main() -> None:
    options = _options()
    if options.beside:
        _compare_with(options)
        return
    load = Load(options.messages, options.sessions)
    print(
        f"{load.messages} messages of {OCTETS} octets on {load.sessions} connections,"
        f" {options.rounds} rounds each"
    )
    rates = _measure(load, options.rounds)
    theirs, ours = (statistics.median(r.kept for r in side) for side in rates.values())
    for name, median in zip(rates, (theirs, ours), strict=True):
        print(f"{name:20} {median:6.0f} messages a second, median")
    print(f"ratio {ours / theirs:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000, help="in each round")
    parser.add_argument("--sessions", type=int, default=20, help="connections at once")
    parser.add_argument("--rounds", type=int, default=3, help="of each contender")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    return parser.parse_args()


def _compare_with(options: argparse.Namespace) -> None:
    """Measures another version and this one, in rounds that alternate."""
    given = [f"--messages={options.messages}", f"--sessions={options.sessions}"]
    before, now = [], []
    for outputs in run_both(
        options.beside, "accept", *given, "--rounds=1", rounds=options.rounds
    ):
        for rates, output in zip((before, now), outputs, strict=True):
            rates.append(
                float(re.findall(r"^Postern .* (\d+) messages", output, re.M)[0])
            )
        print(f"{options.beside} {before[-1]:.0f}/s, this version {now[-1]:.0f}/s")
    print(f"ratio {statistics.median(now) / statistics.median(before):.2f}")


def _measure(load: Load, rounds: int) -> dict[str, list[Rate]]:
    authority = Authority(ready.FOLDER / "tls")
    authority.issue("localhost", "127.0.0.1", kept_as="server")
    with ExitStack() as stack:
        sides = [
            stack.enter_context(contender(authority))
            for contender in (postfix_and_dovecot, postern)
        ]
        for side in sides:
            _round(side, WARM_UP)
        rates: dict[str, list[Rate]] = {side.name: [] for side in sides}
        for _ in range(rounds):
            for side in sides:
                rate = _round(side, load)
                rates[side.name].append(rate)
                print(f"{side.name:20} accepted {rate.accepted:6.0f}/s", end="")
                print(f"  kept {rate.kept:6.0f}/s", flush=True)
    return rates


def _round(side: Contender, load: Load) -> Rate:
    return measure(load, port=side.port, recipients=side.recipients, count=side.count)


if __name__ == "__main__":
    try:
        main()
    finally:
        remove_folder(ready.FOLDER)
