"""Queue: the newest frame wins.

A camera does not wait. Whoever decides more slowly than frames come must drop some, and should drop the oldest: a
backlog would only make every later decision old. The camera command, its sinks and the benchmark's camera scenario all
drop by this one class; ``resemote_queue`` of the C library keeps the same contract.
"""

import threading
from collections import deque
from typing import Generic, TypeVar

from resemote_edge.errors import InputError

__all__ = ["NewestQueue"]

_T = TypeVar("_T")


class NewestQueue(Generic[_T]):
    """A queue of bounded length that drops its oldest item for a new one. Any threads may put and take.

    Args:
        length: Number of items that may wait, from 1 up; None for any number.

    Raises:
        InputError: The length is not positive.
    """

    def __init__(self, length: int | None = 1) -> None:
        if length is not None and length < 1:
            raise InputError(f"a queue holds one item or more, got a length of {length}")
        self._length = length
        self._items: deque[_T] = deque()
        # An interrupt in `Condition.__enter__` would leave the lock taken for good; the lock itself is taken or not.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closed = False
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def dropped(self) -> int:
        """Number of items that a newer one pushed out."""
        return self._dropped

    @property
    def closed(self) -> bool:
        """Whether nothing more can be put."""
        return self._closed

    def put(self, item: _T) -> bool:
        """Add an item, and drop the oldest one if there is no room. Never waits.

        Returns:
            Whether an item was dropped. After `close`, the item itself is: nobody will take it.
        """
        with self._lock:
            full = self._closed or (self._length is not None and len(self._items) >= self._length)
            if full:
                self._dropped += 1
            if self._closed:
                return True
            if full:
                self._items.popleft()
            self._items.append(item)
            self._changed.notify_all()
            return full

    def put_when_free(self, item: _T, timeout: float | None = None) -> bool:
        """Add an item once there is room: for a film, whose frames must all be seen.

        Args:
            item: The item.
            timeout: Time to wait at most, seconds; None for any time.

        Returns:
            Whether it was added; if not, the queue was closed, or had no room in time.
        """
        with self._lock:
            free = self._changed.wait_for(
                lambda: self._closed or self._length is None or len(self._items) < self._length, timeout
            )
            if self._closed or not free:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self, timeout: float | None = None) -> _T | None:
        """Remove the oldest item that is left.

        Args:
            timeout: Time to wait for one at most, seconds; 0 does not wait, None waits for any time.

        Returns:
            The item; None if there was none in time, or the queue is closed and empty.
        """
        with self._lock:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def clear(self) -> int:
        """Remove all items; returns how many there were. They do not count as dropped."""
        with self._lock:
            count = len(self._items)
            self._items.clear()
            self._changed.notify_all()
            return count

    def close(self) -> None:
        """Let nothing more in, and wake whoever waits; what is in it can still be taken."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
