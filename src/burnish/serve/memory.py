"""What a process that runs for months sees to in its memory, before it begins."""

import contextlib
import ctypes

LARGE = 1 << 20  # bytes
POOLS = 2


def give_back_what_is_freed() -> None:
    """Tell glibc's allocator to give large blocks back to the system as soon as they are freed, and to keep few pools for threads.

    Left alone it learns to keep blocks of up to 32 megabytes, in a pool for each thread. A server that restored photographs of 0.1 to 1.6
    megapixels, three at a time, held 418, 488 and 481 MB after each dozen of them; so told, 278, 278 and 285.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library, which has ways of its own
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, LARGE)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, LARGE)  # M_TRIM_THRESHOLD
        libc.mallopt(-8, POOLS)  # M_ARENA_MAX
