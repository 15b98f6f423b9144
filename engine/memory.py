"""What the C library does with memory that was freed."""

from __future__ import annotations

import ctypes

# glibc 2.36, malloc.h.
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
LARGE = 512 * 1024
# One thread of Python runs at a time, so that more arenas would save no waiting.
ARENAS = 2


def return_large_buffers() -> None:
    """Have buffers of half a megabyte and more go back to the system once they are freed.

    By itself glibc raises that bound to the largest that was freed so far, up to 32 MB,
    and has an arena for each thread (mallopt(3)): each that held a large message keeps
    as much. Does nothing with another C library.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_ARENA_MAX, ARENAS)
