"""``resemote-edge verify``."""

from pathlib import Path

import click

from resemote_edge.cli.output import device_option, echo_json, json_option, runtime_option, threads_option


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@runtime_option("auto")
@device_option
@threads_option
@json_option
def verify(artifact: Path, runtime: str, device: str, threads: int | None, as_json: bool) -> None:
    """Run the self-test of ARTIFACT on this machine.

    An artifact carries inputs, its golden data, and what the network must give for them: the golden crops of a
    classifier with the logits that PyTorch computed, the golden pictures of a detector with all outputs. The command
    runs them in the runtime and compares the results. The exit code is 3 if they differ by more than the artifact's
    limit.

    \b
    Example:
      resemote-edge verify artifacts/resemotenet-base-fer2013-openvino-fp32
    """
    from resemote_edge.artifacts.artifact import load_artifact
    from resemote_edge.artifacts.detector_self_test import run_self_test
    from resemote_edge.runtimes.registry import open_session
    from resemote_edge.runtimes.session import SessionOptions

    opened = load_artifact(artifact)
    with open_session(opened, runtime, SessionOptions(device=device, threads=threads)) as session:
        result = run_self_test(opened, session)
    if as_json:
        echo_json(result.to_dict())
    else:
        click.echo(f"{'passed' if result.passed else 'FAILED'}: {result.line}")
    if not result.passed:
        raise SystemExit(3)
