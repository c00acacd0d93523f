"""Strict structs, and records: strict JSON with a schema number, the form in which measurements are kept."""

from pathlib import Path
from typing import TypeVar

import msgspec

from resemote_edge.errors import InputError

__all__ = ["Record", "Strict", "read_record"]


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Struct that refuses unknown fields: a misspelt key is an error, not a default.

    Subclasses repeat frozen and kw_only, which type checkers do not inherit.
    """


class Record(Strict, frozen=True):
    """A struct that is kept as a file."""

    def to_json(self) -> bytes:
        """Indented JSON, ending in a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


_Kept = TypeVar("_Kept", bound=msgspec.Struct)


def read_record(path: Path, kind: type[_Kept], *, what: str, schema: int) -> _Kept:
    """Read a record with a field ``schema`` back.

    Args:
        path: Path of the file.
        kind: Kind of the record.
        what: Name of what it should be, with its article.
        schema: Schema that this version reads.

    Raises:
        InputError: There is no such file, it is not such a record, or it has another schema.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise InputError(f"{path}: not {what}: {error}") from None
    number = getattr(found, "schema")  # noqa: B009 - every kind read here has it, which their base cannot say
    if number != schema:
        raise InputError(f"{path}: {what.rsplit(maxsplit=1)[-1]} schema {number}, this version reads schema {schema}")
    return found
