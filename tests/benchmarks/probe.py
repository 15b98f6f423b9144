"""Sends NOOP repeatedly until its input ends, then prints the response times."""

from __future__ import annotations

import select
import smtplib
import sys
import time

EVERY = 0.005


def main() -> None:
    times = []
    with smtplib.SMTP("localhost", int(sys.argv[1])) as client:
        client.ehlo()
        while not select.select([sys.stdin], [], [], EVERY)[0]:
            begin = time.perf_counter()
            client.noop()
            times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    print(
        f"{len(times)}, median {times[len(times) // 2]:.1f} ms, "
        f"99th percentile {times[len(times) * 99 // 100]:.1f} ms, "
        f"slowest {times[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
