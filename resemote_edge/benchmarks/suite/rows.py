"""SuiteFolder: the folder where a suite keeps each finished row, in a file that is written completely or not at all.

A row records what it depends on. If any of that has changed, the row is measured again. A row from another machine is
refused.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from resemote_edge.artifacts.artifact import file_sha256
from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.partial import collect, taking_turns
from resemote_edge.artifacts.record import DECODE_ERRORS, Record
from resemote_edge.errors import InputError
from resemote_edge.machine.environment import Environment
from resemote_edge.measuring.results import AccuracyResult, BenchRow, Unmeasured, Validity
from resemote_edge.measuring.row import SAMPLES_FOLDER

__all__ = [
    "ARTIFACTS_FOLDER",
    "ROWS_FOLDER",
    "SUITE_COPY",
    "KeptFailure",
    "KeptRow",
    "KeptSpeed",
    "KeptValidity",
    "Machine",
    "SuiteFolder",
    "decision_key",
    "machine_of",
]

ROWS_FOLDER = "rows"
ARTIFACTS_FOLDER = "artifacts"
SUITE_COPY = "suite.toml"

ROW_SCHEMA = 1

_MACHINE_ID = Path("/etc/machine-id")


class Machine(Record, frozen=True, kw_only=True):
    """The machine a row was measured on.

    Attributes:
        id: Hash of the properties that stay the same on it.
        summary: Description in one line for people.
    """

    id: str
    summary: str


class KeptSpeed(Record, frozen=True, kw_only=True, tag="speed"):
    """A measured row."""

    row: BenchRow


class KeptValidity(Record, frozen=True, kw_only=True, tag="validity"):
    """A check of our timer."""

    validity: Validity


class KeptFailure(Record, frozen=True, kw_only=True, tag="failed"):
    """A step that was tried and failed."""

    unmeasured: Unmeasured


class KeptRow(Record, frozen=True, kw_only=True):
    """A finished step of a suite, as it is kept.

    Attributes:
        schema: Schema of the record, `ROW_SCHEMA`.
        key: Hash (sha256) of everything that it depends on.
        decided_by: Everything that it depends on, by name.
        machine: Machine it was measured on.
        measured_utc: Time of the measurement, ISO 8601.
        git_commit: Commit of the checkout that measured it; None if there was none.
        seconds: Time it took.
        found: Result of the step.
    """

    schema: int = ROW_SCHEMA
    key: str
    decided_by: dict[str, Any]
    machine: Machine
    measured_utc: str
    git_commit: str | None
    seconds: float
    found: KeptSpeed | AccuracyResult | KeptValidity | KeptFailure

    @property
    def failed(self) -> bool:
        """Whether the step was tried and did not work."""
        return isinstance(self.found, KeptFailure)

    def changes(self, decided_by: dict[str, Any]) -> list[str]:
        """Names of the facts it depends on that have changed."""
        names = sorted({*self.decided_by, *decided_by})
        return [name for name in names if self.decided_by.get(name) != decided_by.get(name)]


def decision_key(decided_by: dict[str, Any]) -> str:
    """Hash (sha256) of everything that a row depends on."""
    return hashlib.sha256(json.dumps(decided_by, sort_keys=True).encode()).hexdigest()


def machine_of(environment: Environment) -> Machine:
    """Identify this machine by its hardware and, if there is one, by the identity of its system."""
    try:
        # Hashed, because machine-id(5) says that the identity itself must not be passed on.
        own = hashlib.sha256(b"resemote-edge " + _MACHINE_ID.read_bytes().strip()).hexdigest()
    except OSError:
        own = None
    facts = {
        "cpu_model": environment.cpu_model,
        "cpu_features": environment.cpu_features,
        "memory_gib": round(environment.memory_total_bytes / 2**30),
        "gpus": environment.gpus,
        "board": environment.board,
        "own": own,
    }
    return Machine(id=decision_key(facts), summary=environment.short())


class SuiteFolder:
    """The folder of a suite's results.

    Args:
        path: Path of the folder; need not exist to be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def refuse_foreign(self, name: str) -> None:
        """Refuse a folder that holds something else.

        Args:
            name: Name of the suite.

        Raises:
            InputError: The path is a file, or holds another suite's results or a report that is no suite's.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file", hint="pass a folder as -o")
        copy = self.path / SUITE_COPY
        if not copy.is_file():
            taken = [path for path in (self.path / "report.json", *map(self.row_path, self.stems())) if path.exists()]
            if taken:
                raise InputError(f"{taken[0]} exists and is not of a suite", hint="pass another -o")
            return
        try:
            found = msgspec.toml.decode(copy.read_bytes(), type=dict[str, Any]).get("name")
        except DECODE_ERRORS as error:
            raise InputError(f"{copy}: not a suite any more ({error})", hint="delete it, or pass another -o") from None
        if found != name:
            raise InputError(
                f"{self.path} holds the results of suite {found!r}, not of {name!r}", hint="pass another -o"
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder if it is missing, and keep other runs out of it while the block lasts.

        Files that a killed run left half-written are removed.

        Raises:
            InputError: Another run is measuring into it.
            OSError: The folder cannot be created or written to.
        """
        for folder in (self.path, self.path / ROWS_FOLDER, self.path / SAMPLES_FOLDER):
            folder.mkdir(parents=True, exist_ok=True)

        def refuse() -> None:
            raise InputError(
                f"{self.path}: another run is measuring into this folder", hint="wait for it, or pass another -o"
            )

        with taking_turns(self.path, refuse):
            for folder in (self.path, *(self.path / name for name in (ROWS_FOLDER, SAMPLES_FOLDER, ARTIFACTS_FOLDER))):
                collect(folder)
            yield

    def note_suite(self, content: bytes) -> bool:
        """Keep a copy of the suite's file.

        Returns:
            Whether another version of it was there before.
        """
        copy = self.path / SUITE_COPY
        before = copy.read_bytes() if copy.is_file() else content
        write_file(copy, content)
        return before != content

    def row_path(self, stem: str) -> Path:
        """Path where a row is kept."""
        return self.path / ROWS_FOLDER / f"{stem}.json"

    def read(self, stem: str) -> KeptRow | None:
        """Read a row that is kept; None if there is none.

        Raises:
            InputError: The file is not a row of this version.
        """
        path = self.row_path(stem)
        try:
            row = msgspec.json.decode(path.read_bytes(), type=KeptRow)
        except FileNotFoundError:
            return None
        except DECODE_ERRORS as error:
            raise InputError(f"{path}: not a finished row ({error})", hint="delete it, or pass another -o") from None
        if row.schema != ROW_SCHEMA:
            raise InputError(
                f"{path}: row schema {row.schema}, this version reads schema {ROW_SCHEMA}", hint="delete it"
            )
        return row

    def write(self, stem: str, row: KeptRow) -> None:
        """Keep a row."""
        write_file(self.row_path(stem), row.to_json())

    def stems(self) -> list[str]:
        """Names of all rows that are kept."""
        return sorted(path.stem for path in (self.path / ROWS_FOLDER).glob("*.json"))

    def refuse_other_machine(self, machine: Machine) -> None:
        """Refuse to add rows to those that another machine measured.

        Raises:
            InputError: A row is from another machine; the message describes both.
        """
        for stem in self.stems():
            kept = self.read(stem)
            if kept is not None and kept.machine.id != machine.id:
                raise InputError(
                    f"{self.row_path(stem)} was measured on another machine ({kept.machine.summary}, and not this one, "
                    f"{machine.summary})",
                    hint="figures of two machines do not go into one report, pass another -o",
                )

    def has_samples(self, row: BenchRow) -> bool:
        """Whether the file of a row's samples is there, and belongs to this measurement."""
        if row.samples is None:
            return True
        path = self.path / row.samples
        return path.is_file() and file_sha256(path) == row.speed.samples_sha256
