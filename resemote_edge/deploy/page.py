"""Page of a bundle: what will happen on the board, for whoever unpacks it."""

from importlib.resources import files
from typing import Any

from resemote_edge.deploy.board import Board, Engine

__all__ = ["render_page"]


def render_page(board: Board, engine: Engine, **facts: Any) -> str:
    """Render the page as HTML that loads nothing from anywhere.

    Args:
        board: The board.
        engine: Engine of the board.
        facts: What else the template names.

    Raises:
        ImportError: jinja2 is not installed.
    """
    from jinja2 import Environment, StrictUndefined

    template = (files("resemote_edge.deploy") / "templates" / "README.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(board=board, engine=engine, **facts)
