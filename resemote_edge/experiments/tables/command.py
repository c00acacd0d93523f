"""``python -m resemote_edge.experiments tables``."""

from pathlib import Path

import click


@click.command()
@click.argument("documents", nargs=-1, type=click.Path(path_type=Path))
def tables(documents: tuple[Path, ...]) -> None:
    """Generate the tables of DOCUMENTS from committed results.

    A table stands between '<!-- table: FILE -->' and '<!-- end of table -->'; FILE names the results. No document is
    written unless the tables of all DOCUMENTS can be generated.

    \b
    Example:
      python -m resemote_edge.experiments tables README.md docs/guides/benchmarks.md
    """
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.experiments.tables.documents import regenerate

    texts = {path: regenerate(path) for path in documents}
    for path, text in texts.items():
        write_file(path, text)
