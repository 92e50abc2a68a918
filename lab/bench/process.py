"""A process's memory, open files and sockets, as the kernel reports them. Linux only."""

from collections import Counter
from pathlib import Path

KIBIBYTE = 1024
MEGABYTE = 2**20  # as Lambda counts memory


def resident_megabytes(pid: int) -> float:
    return _megabytes(pid, "VmRSS")


def peak_megabytes(pid: int) -> float:
    """The most that was resident at any moment of the process's life."""
    return _megabytes(pid, "VmHWM")


def _megabytes(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * KIBIBYTE / MEGABYTE
    raise LookupError(f"The kernel does not report {name} of process {pid}.")


def open_descriptors(pid: int) -> Counter[str]:
    """Counts what is open: a file by its path, a socket as "socket", a pipe as "pipe"."""
    folder = Path(f"/proc/{pid}/fd")
    return Counter(str(one.readlink()).partition(":[")[0] for one in folder.iterdir())
