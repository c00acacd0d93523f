"""``resemote-edge bundle``."""

from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import echo_json, echo_note, json_option, measuring_progress, output_option


@click.command()
@click.argument("artifacts", type=click.Path(path_type=Path), nargs=-1)
@click.option("--board", help="Board that the bundle is for, by name or TOML file; --list-boards lists them.")
@click.option("--engine", help="Engine that runs the artifacts on the board.  [default: the board's first]")
@click.option(
    "--engine-library",
    type=click.Path(path_type=Path),
    help="Engine library that the bundle carries: a wheel of onnxruntime for the board's processor, or its "
    "libonnxruntime.so.  [default: none; install.sh is told where it is]",
)
@click.option(
    "--json-headers",
    type=click.Path(path_type=Path),
    help="Folder that holds nlohmann/json.hpp.  [default: where the system installs it]",
)
@click.option(
    "--prebuilt",
    type=click.Path(path_type=Path),
    help="Prefix with an installation of libresemote and its tools to take, in place of compiling them.",
)
@output_option("Folder that the bundle is written into.  [default: bundles]")
@click.option("--force", is_flag=True, help="Replace an earlier bundle for the same board.")
@click.option("--list-boards", is_flag=True, help="List the boards that come with the package, and exit.")
@json_option
def bundle(
    artifacts: tuple[Path, ...],
    board: str | None,
    output: Path | None,
    list_boards: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Pack ARTIFACTS for a board without Python: a folder, and the same as one .tar.gz.

    A bundle holds the artifacts, libresemote and the command line 'resemote' for the board's processor, their sources
    and licences, and install.sh, which checks the board, installs, self-tests and measures. Library and tools are
    compiled here with the package ziglang, for the old glibc of boards, and kept for the next bundle. Where TensorRT is
    the engine, the board compiles its backend itself, from the sources in the bundle.

    \b
    Example:
      resemote-edge bundle artifacts/nano-fp16 --board jetson-nano
      resemote-edge bundle artifacts/onnx-int8 --board raspberry-pi-5 --engine-library onnxruntime-aarch64.whl
    """
    from resemote_edge.deploy.board import available_boards, find_board
    from resemote_edge.deploy.bundle import BundleRequest, make_bundle

    if list_boards:
        found = [find_board(name) for name in available_boards()]
        if as_json:
            echo_json([{"name": each.name, "description": each.description} for each in found])
        else:
            for each in found:
                click.echo(f"{each.name}: {each.description}")
        return
    if not artifacts:
        raise click.UsageError("Missing argument 'ARTIFACTS...'.")
    if board is None:
        raise click.UsageError(f"Missing option '--board'. Choose one of {', '.join(available_boards())}.")
    request = BundleRequest(artifacts=artifacts, board=board, output=output or Path("bundles"), **options)
    with measuring_progress("bundling") as progress:
        made = make_bundle(request, lambda what, percent: progress(percent, 100))
    for note in made.notes:
        echo_note(note)
    if as_json:
        echo_json(made.to_dict())
        return
    click.echo(f"wrote {made.archive} ({made.archive.stat().st_size / 1e6:.1f} MB) and {made.folder}")
    click.echo(f"on the board: tar xf {made.archive.name} && cd {made.folder.name} && ./install.sh")
