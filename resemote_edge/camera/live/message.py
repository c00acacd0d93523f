"""Message: one frame as the page gets it, JSON and JPEG together, so that boxes never lie on another picture.

::

    4 bytes   length of the JSON, unsigned, big-endian
    N bytes   JSON of a `LiveMessage`, UTF-8
    the rest  JPEG of the frame; nothing if no pictures are sent

The page answers each message with the text ``ack SEQUENCE``, and gets no other before that. With the texts ``pause``
and ``resume`` it asks for silence and for frames again.
"""

import struct

import msgspec

from resemote_edge.artifacts.record import Strict
from resemote_edge.camera.results import FrameResult

__all__ = ["LiveMessage", "pack", "unpack"]

_LENGTH = struct.Struct(">I")


class LiveMessage(Strict, frozen=True, kw_only=True):
    """JSON of one message.

    Attributes:
        sequence: Number of the frame as the page counts them, from 1. Where numbers are missing, the client was
            slower than the camera.
        notice: Words that stand on the page for everyone; may be empty.
        result: What was decided about the frame.
    """

    sequence: int
    notice: str
    result: FrameResult


def pack(message: LiveMessage, jpeg: bytes) -> bytes:
    """The bytes of a message."""
    text = msgspec.json.encode(message)
    return b"".join((_LENGTH.pack(len(text)), text, jpeg))


def unpack(content: bytes) -> tuple[LiveMessage, bytes]:
    """A message and its JPEG, for clients in Python.

    Raises:
        msgspec.DecodeError: The JSON is not that of a message.
        struct.error: The content is shorter than four bytes.
    """
    (length,) = _LENGTH.unpack_from(content)
    end = _LENGTH.size + length
    return msgspec.json.decode(content[_LENGTH.size : end], type=LiveMessage), content[end:]
