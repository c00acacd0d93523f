"""Reads files of sysfs and procfs: optional facts, facts that a sensor requires, and lists of cores."""

import errno
from pathlib import Path

from resemote_edge.errors import DeviceUnavailableError

__all__ = ["core_list", "first_line", "is_this_machine", "read_int", "read_text", "required_int"]


def is_this_machine(root: Path) -> bool:
    """Whether a root is this machine's own, and not a recorded tree."""
    return root.resolve() == Path("/")


def read_text(path: Path) -> str | None:
    """Content without surrounding space and NULs; None if the file is missing, unreadable or empty."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.replace("\0", "").strip() or None


def first_line(path: Path) -> str | None:
    """First line of a file; None if `read_text` returns None."""
    text = read_text(path)
    return text.splitlines()[0] if text else None


def read_int(path: Path) -> int | None:
    """A whole number; None if the file is missing or holds something else."""
    text = read_text(path)
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def required_int(path: Path, alike: Path | None = None) -> int:
    """Read a whole number that a sensor needs.

    Args:
        path: Path of the file.
        alike: Pattern of all the files that have to be readable with it, for the message.

    Raises:
        DeviceUnavailableError: The file cannot be read; the message names it and what would help.
    """
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise DeviceUnavailableError(
                f"{path} may not be read by this user",
                hint=f"run as root, or let root allow it until the next boot: sudo chmod a+r {alike or path}",
            ) from None
        raise DeviceUnavailableError(f"{path} cannot be read: {error.strerror}") from None
    try:
        return int(text)
    except ValueError:
        raise DeviceUnavailableError(f"{path} holds {text[:40]!r} where a number belongs") from None


def core_list(text: str | None) -> tuple[int, ...]:
    """Numbers of a list as the kernel writes it, such as ``0-3,5``; empty for None and for other text."""
    cores: list[int] = []
    try:
        for part in (text or "").split(","):
            first, dash, last = part.strip().partition("-")
            if first:
                cores += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        return ()
    return tuple(cores)
