"""Strict structs, and records: strict JSON with a schema number, the form in which measurements are kept."""

import codecs
import datetime
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
from msgspec import Meta

from resemote_edge.errors import InputError

__all__ = [
    "DECODE_ERRORS",
    "Count",
    "Measured",
    "Name",
    "Record",
    "Sha256",
    "Strict",
    "Text",
    "json_bytes",
    "read_record",
    "read_text_bytes",
    "read_toml",
    "refuse_repeated",
    "utc_now",
]

#: Words of a paragraph at most, or a path.
Text = Annotated[str, Meta(max_length=4096)]

#: Name of something in a file that a person writes, and of files that are named after it.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

#: Hex sha256 of a file.
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]

#: A number of things, or of bytes.
Count = Annotated[int, Meta(ge=0)]


#: What a decoder raises for text that does not fit, is no text, is nested without end, or that a struct refuses.
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)

_MOST_TEXT_BYTES = 64 << 20  # a report with every sample's summary has some megabytes


def read_text_bytes(path: Path) -> bytes:
    """Bytes of a text file that a person or a program wrote, without a byte-order mark.

    Raises:
        OSError: It cannot be read.
        InputError: It is no regular file, such as a pipe, which would be waited for, or larger than any text of ours.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{path}: {'a folder' if path.is_dir() else 'not a regular file'}", hint="pass a file")
    if facts.st_size > _MOST_TEXT_BYTES:
        raise InputError(f"{path}: {facts.st_size} bytes, and no such file has more than {_MOST_TEXT_BYTES}")
    return path.read_bytes().removeprefix(codecs.BOM_UTF8)


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Struct that refuses unknown fields: a misspelt key is an error, not a default.

    Subclasses repeat frozen and kw_only, which type checkers do not inherit.
    """


class Record(Strict, frozen=True):
    """A struct that is kept as a file."""

    def to_json(self) -> bytes:
        """Indented JSON, ending in a newline."""
        return json_bytes(self)


class Measured(Record, frozen=True, kw_only=True):
    """A record of what was measured on a machine.

    Attributes:
        schema: Number of its schema; every kind of record has its own.
        created_utc: Time of writing, ISO 8601.
        environment: Record of the machine, from `capture_environment`.
    """

    schema: int
    created_utc: str
    environment: dict[str, Any]


def json_bytes(value: Any) -> bytes:
    """Indented JSON, ending in a newline, of anything that msgspec encodes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def utc_now() -> str:
    """Time of this moment for records, ISO 8601, in seconds."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


_Kept = TypeVar("_Kept", bound=msgspec.Struct)


class _Versioned(Protocol):
    @property
    def schema(self) -> int: ...


_Written = TypeVar("_Written", bound=_Versioned)


class _Label(msgspec.Struct):
    """What every schema of a record begins with; reports of benchmarks have no kind."""

    schema: int
    kind: str = ""


def read_record(path: Path, kind: type[_Kept], *, what: str, schema: int) -> _Kept:
    """Read a record with a field ``schema`` back.

    Args:
        path: The file.
        kind: Struct that the file holds.
        what: Name of that kind, with its article.
        schema: Number of the schema that this version reads.

    Raises:
        InputError: No such file, not such a record, a record of another schema, or a field that is missing, unknown or
            of the wrong type; the message names the field, what was found and what is expected.
    """
    try:
        content = read_text_bytes(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read as {what}: {error.strerror or error}") from None
    try:
        label = msgspec.json.decode(content, type=_Label)
    except DECODE_ERRORS as error:
        raise InputError(f"{path}: not {what}: {error}") from None
    expected = _kind_of(kind)
    if label.kind != expected:
        raise InputError(f"{path}: not {what}: found the kind {label.kind!r}, expected {expected!r}")
    if label.schema != schema:
        noun = what.rsplit(maxsplit=1)[-1]
        raise InputError(
            f"{path}: {noun} schema {label.schema}, this version reads schema {schema}", hint="make it again"
        )
    try:
        return msgspec.json.decode(content, type=kind)
    except DECODE_ERRORS as error:
        raise InputError(f"{path}: does not match the schema of {what}: {error}") from None


def read_toml(path: Path, kind: type[_Written], *, what: str, schema: int, hint: str) -> _Written:
    """Read a file that a person writes, with a field ``schema``.

    Args:
        path: The file.
        kind: Struct that the file holds.
        what: Name of that kind in one word, for "not a valid ...".
        schema: Number of the schema that this version reads.
        hint: What to do where there is no such file.

    Raises:
        InputError: No such file, not TOML, a key that is missing, unknown or of the wrong type, or another schema.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such {what}", hint=hint)
    try:
        found = msgspec.toml.decode(read_text_bytes(path), type=kind)
    except DECODE_ERRORS as error:
        raise InputError(f"{path}: not a valid {what}: {error}") from None
    if found.schema != schema:
        raise InputError(f"{path}: {what} schema {found.schema}, this version reads schema {schema}")
    return found


def refuse_repeated(what: str, values: Iterable[object], where: str = "") -> None:
    """Raise `InputError` if a value appears twice; the message calls the values `what`."""
    listed = list(values)
    twice = [value for value in listed if listed.count(value) > 1]
    if twice:
        raise InputError(f"{where}{what} {twice[0]} appears twice", hint="remove or rename one")


def _kind_of(kind: type[msgspec.Struct]) -> str:
    """What the key ``kind`` holds in files of a struct: its tag, or the default of its field; empty for neither."""
    if kind.__struct_config__.tag_field == "kind":
        return str(kind.__struct_config__.tag)
    return next((str(field.default) for field in msgspec.structs.fields(kind) if field.name == "kind"), "")
