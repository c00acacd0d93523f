"""Pareto front: the points that no other beats in both latency and accuracy."""

from collections.abc import Sequence

__all__ = ["pareto_front"]


def pareto_front(latencies: Sequence[float], accuracies: Sequence[float]) -> list[int]:
    """Find the points that no other beats by being at least as fast and as accurate, and better in one.

    Args:
        latencies: Latencies; lower is better.
        accuracies: Accuracies, as many; higher is better.

    Returns:
        Places of the points, by latency ascending; of equal points, all.
    """
    points = list(zip(latencies, accuracies, strict=True))
    front = [at for at, point in enumerate(points) if not any(_beats(other, point) for other in points)]
    return sorted(front, key=lambda at: (points[at][0], at))


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] >= other[1]
