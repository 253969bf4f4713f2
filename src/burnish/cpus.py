"""How many processors there are to compute on, on every platform."""

import os


def available_cpus() -> int:
    """How many processors this process may use, 1 at least: those it is bound to, where the platform tells, else the machine's."""
    counted = getattr(os, "process_cpu_count", None)  # Python 3.13 and later
    if counted:
        return int(counted() or 1)
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
