"""``python -m resemote_edge.experiments tables``."""

from pathlib import Path

import click


@click.command()
@click.argument("documents", nargs=-1, type=click.Path(path_type=Path))
def tables(documents: tuple[Path, ...]) -> None:
    """Make every table of DOCUMENTS anew from the committed results it names.

    No document is written unless the tables of all of them can be made.

    \b
    Example:
      python -m resemote_edge.experiments tables README.md docs/guides/benchmarks.md
    """
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.experiments.tables.documents import regenerate

    texts = {path: regenerate(path) for path in documents}
    for path, text in texts.items():
        write_file(path, text)
