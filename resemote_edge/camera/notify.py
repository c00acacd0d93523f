"""Notify: tells systemd that the program is ready, alive and ending (sd_notify(3)), where systemd asked to be told."""

import contextlib
import os
import socket

__all__ = ["notify_systemd"]


def notify_systemd(state: str) -> None:
    """Send a state, such as ``READY=1``; nothing happens outside a service of type notify.

    Args:
        state: Assignments, one a line, as sd_notify(3) lists them.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    # A service manager that has gone is no reason to end.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.setblocking(False)
        out.sendto(state.encode(), path)
