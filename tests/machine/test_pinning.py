import pytest

from resemote_edge.errors import InputError
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.machine.topology import allowed_cores


@pytest.fixture
def hyperthreads(tmp_path):
    """Four cores with two threads each; 0 and 4 are one core."""
    for core in range(8):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{core % 4},{core % 4 + 4}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("threads", "cores"),
    [(1, (3,)), (2, (2, 3)), (4, (0, 1, 2, 3)), (5, (0, 1, 2, 3, 7)), (8, tuple(range(8))), (99, tuple(range(8)))],
)
def test_a_core_each_before_two_threads_share_one(threads, cores, hyperthreads):
    assert choose_cores(threads, tuple(range(8)), hyperthreads) == cores


def test_only_what_is_allowed_is_chosen(hyperthreads):
    assert choose_cores(2, (0, 4, 5), hyperthreads) == (0, 5)


def test_where_the_kernel_says_nothing_each_is_a_core_of_its_own(tmp_path):
    assert choose_cores(2, (0, 1, 2), tmp_path) == (1, 2)


def test_this_machine():
    assert set(choose_cores(1)) <= set(allowed_cores())


@pytest.mark.parametrize(("threads", "allowed"), [(0, (0,)), (1, ())])
def test_nothing_to_choose(threads, allowed):
    with pytest.raises(InputError, match="both start at 1"):
        choose_cores(threads, allowed)
