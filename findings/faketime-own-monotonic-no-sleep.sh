#!/usr/bin/env bash
# libfaketime 0.9.10 (Debian's 0.9.10-2.1), told to leave the monotonic clock alone, makes
# Python's time.sleep() fail: [Errno 22] Invalid argument.
#
# A service whose wall clock is wrong still waits for the right time, because waits follow
# the monotonic clock; FAKETIME_DONT_FAKE_MONOTONIC=1 exists to imitate that. Since Python
# 3.11 time.sleep() waits with clock_nanosleep() until a moment of CLOCK_MONOTONIC; the
# library's own version of that call, with the option, hands the system a moment that it
# refuses. Without the option the sleep works, but then only the multi-threaded variant of
# the library leaves the monotonic clock alone while the wall clock is moved.
#
# The remedy in a test is to move the clock inside Python (time-machine), or in a virtual
# machine. Seen on Python 3.11, amd64:
#   wall clock only:  OSError 22
#   both clocks:      slept
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libfaketime=0.9.10-2.1
dpkg-deb -x libfaketime_*.deb root
library=$(echo "$folder"/root/usr/lib/*/faketime/libfaketimeMT.so.1)

slept() { # variables for the library
  env LD_PRELOAD="$library" FAKETIME=+5m "$@" "${PYTHON:-python3}" -c '
import time
try:
    time.sleep(0.01)
    print("slept")
except OSError as error:
    print("OSError", error.errno)'
}

alone=$(slept FAKETIME_DONT_FAKE_MONOTONIC=1)
both=$(slept)
printf 'wall clock only:  %s\nboth clocks:      %s\n' "$alone" "$both"
if [[ $alone == "OSError 22" && $both == slept ]]; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
