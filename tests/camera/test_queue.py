"""The newest frame wins."""

import threading

import pytest

from resemote_edge.camera.queue import NewestQueue
from resemote_edge.errors import InputError


def test_the_oldest_goes_for_the_newest_and_is_counted():
    queue = NewestQueue(2)
    assert [queue.put(item) for item in range(5)] == [False, False, True, True, True]
    assert (queue.dropped, len(queue)) == (3, 2)
    assert [queue.take(0), queue.take(0), queue.take(0)] == [3, 4, None]


def test_without_a_bound_nothing_is_dropped():
    queue = NewestQueue(None)
    for item in range(1000):
        queue.put(item)
    assert [queue.take(0) for _ in range(1000)] == list(range(1000))
    assert queue.dropped == 0


def test_a_film_waits_for_room():
    queue = NewestQueue(1)
    assert queue.put_when_free("a", timeout=0)
    assert not queue.put_when_free("b", timeout=0.01)
    taken = []
    threading.Timer(0.05, lambda: taken.append(queue.take(0))).start()
    assert queue.put_when_free("b", timeout=5)
    assert (taken, queue.take(0), queue.dropped) == (["a"], "b", 0)


def test_closing_wakes_who_waits_and_leaves_what_is_in_it():
    queue = NewestQueue(1)
    queue.put("last")
    woken = []
    waiting = threading.Thread(target=lambda: woken.append(queue.put_when_free("late")))
    waiting.start()
    queue.close()
    waiting.join(5)
    assert woken == [False]
    assert queue.put("later") is True
    assert (queue.take(), queue.take(), queue.dropped) == ("last", None, 1)


def test_many_threads_lose_nothing_that_is_not_counted():
    queue = NewestQueue(3)
    taken = []

    def consume():
        while (item := queue.take()) is not None:
            taken.append(item)

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    producers = [
        threading.Thread(target=lambda first=first: [queue.put(first * 1000 + n + 1) for n in range(500)])
        for first in range(4)
    ]
    for thread in (*consumers, *producers):
        thread.start()
    for thread in producers:
        thread.join()
    queue.close()
    for thread in consumers:
        thread.join()
    assert len(taken) == len(set(taken))
    assert len(taken) + queue.dropped == 2000


@pytest.mark.parametrize("length", [0, -1])
def test_a_queue_has_room_for_one(length):
    with pytest.raises(InputError, match="one item or more"):
        NewestQueue(length)
