import pytest
from sysfs_trees import jetson_nano, jetson_orin_nano, put, virtual_machine

from resemote_edge.machine.jetson import (
    JETPACKS,
    PowerMode,
    cuda_version,
    jetpack_version,
    l4t_release,
    power_mode,
    tensorrt_version,
)


def facts(root):
    return l4t_release(root), power_mode(root), cuda_version(root), tensorrt_version(root)


def test_the_nano(tmp_path):
    assert facts(jetson_nano(tmp_path)) == ("32.7.1", PowerMode(id=0, name="MAXN"), "10.2.300", "8.2.1")


def test_the_orin_nano(tmp_path):
    assert facts(jetson_orin_nano(tmp_path)) == ("36.4.3", PowerMode(id=1, name="25W"), "12.6.11", "10.3.0")


def test_no_jetson(tmp_path):
    assert facts(virtual_machine(tmp_path)) == (None, None, None, None)


@pytest.mark.parametrize(
    ("release", "jetpack"),
    [
        ("32.7.1", "4.6.1"),
        ("35.4.1", "5.1.2"),
        ("36.4.3", "6.2"),
        ("36.4.99", "6.x"),  # newer than the table: its family
        ("36.9.1", "6.x"),
        ("32.7.99", "4.6.x"),
        ("32.99", None),  # JetPack 4 has no row for all of R32
        ("3", None),  # not the beginning of 32
        ("99.1.0", None),
        ("", None),
        (None, None),
    ],
)
def test_the_longest_beginning_names_the_jetpack(release, jetpack):
    assert jetpack_version(release) == jetpack


def test_every_row_is_found_by_itself():
    assert {release: jetpack_version(release) for release in JETPACKS} == JETPACKS


@pytest.mark.parametrize("text", ["", "# R36", "something else\n# R36 (release), REVISION: 4.3"])
def test_a_release_file_of_another_form_is_none(text, tmp_path):
    put(tmp_path, "etc/nv_tegra_release", text)
    assert l4t_release(tmp_path) is None


@pytest.mark.parametrize(
    ("status", "mode", "shown"),
    [
        ("pmode:0002", PowerMode(id=2, name="MAXN_SUPER"), "MAXN_SUPER (mode 2)"),
        ("pmode:0009 fmode:quiet", PowerMode(id=9, name=None), "unnamed (mode 9)"),
    ],
)
def test_power_modes_are_named_by_the_boards_list(status, mode, shown, tmp_path):
    jetson_orin_nano(tmp_path)
    put(tmp_path, "var/lib/nvpmodel/status", status)
    assert power_mode(tmp_path) == mode
    assert str(power_mode(tmp_path)) == shown


def test_a_power_mode_without_the_list_has_no_name(tmp_path):
    jetson_orin_nano(tmp_path)
    (tmp_path / "etc/nvpmodel.conf").unlink()
    assert power_mode(tmp_path) == PowerMode(id=1, name=None)


@pytest.mark.parametrize("text", ["", "fmode:quiet", "pmode:"])
def test_a_status_without_a_mode_is_none(text, tmp_path):
    put(tmp_path, "var/lib/nvpmodel/status", text)
    assert power_mode(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cuda": "12"}', '{"cuda": {"name": "CUDA SDK"}}'])
def test_a_version_file_of_another_form_is_none(text, tmp_path):
    put(tmp_path, "usr/local/cuda/version.json", text)
    assert cuda_version(tmp_path) is None


def test_the_longest_and_newest_library_names_tensorrt(tmp_path):
    for name in ("8", "8.6.2", "10", "10.3.0", "9.0.0.1-backup"):
        put(tmp_path, f"usr/lib/aarch64-linux-gnu/libnvinfer.so.{name}", "")
    assert tensorrt_version(tmp_path) == "10.3.0"


def test_tensorrt_from_nvidias_tar_file(tmp_path):
    put(tmp_path, "usr/local/tensorrt/lib/libnvinfer.so.10.7.0", "")
    assert tensorrt_version(tmp_path) == "10.7.0"
