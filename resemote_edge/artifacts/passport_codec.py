"""Passports as text: written, read back, and refused.

A passport says of which kind it is in the key ``kind``; a classifier's, the first kind there was, has no such key.
Earlier versions read classifiers only, and refuse any other kind for the fields that they do not know.
"""

from typing import TypeAlias

import msgspec

from resemote_edge.artifacts.consistency import contradictions
from resemote_edge.artifacts.detector_passport import DetectorPassport
from resemote_edge.artifacts.passport import Passport
from resemote_edge.artifacts.passport_base import SCHEMA_VERSION, BasePassport
from resemote_edge.errors import ArtifactError, PassportVersionError

__all__ = ["AnyPassport", "decode_passport", "encode_passport"]

#: A passport of any kind.
AnyPassport: TypeAlias = Passport | DetectorPassport

#: Kind, as the key ``kind`` has it, to what such a passport holds; a new kind is a struct and a row.
_KINDS: dict[str, type[Passport] | type[DetectorPassport]] = {
    passport.kind: passport for passport in (Passport, DetectorPassport)
}


class _Label(msgspec.Struct):
    schema_version: int
    kind: str = Passport.kind


def encode_passport(passport: BasePassport) -> bytes:
    """Serialise a passport as indented JSON, ending in a newline."""
    return msgspec.json.format(msgspec.json.encode(passport), indent=2) + b"\n"


def decode_passport(raw: bytes, origin: str) -> AnyPassport:
    """Parse and validate a passport.

    Args:
        raw: JSON text.
        origin: Path shown in messages.

    Returns:
        The passport, of whichever kind it is.

    Raises:
        PassportVersionError: The passport has another schema version.
        ArtifactError: The text is not JSON; the kind is unknown; a field is missing, unknown, of the wrong type or out
            of bounds; or the passport contradicts itself.
    """
    try:
        label = msgspec.json.decode(raw, type=_Label)
        if label.schema_version != SCHEMA_VERSION:
            raise PassportVersionError(
                f"{origin}: passport schema {label.schema_version}, this version of resemote-edge reads schema "
                f"{SCHEMA_VERSION}",
                hint="export the artifact again, or install the version that wrote it",
            )
        if label.kind not in _KINDS:
            raise ArtifactError(
                f"{origin}: an artifact of the kind {label.kind[:80]!r}, this version of resemote-edge reads "
                f"{', '.join(_KINDS)}",
                hint="install the version that wrote it",
            )
        passport: AnyPassport = msgspec.json.decode(raw, type=_KINDS[label.kind])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtifactError(f"{origin}: not a valid passport: {error}", hint="export the artifact again") from None
    for contradiction in contradictions(passport):
        raise ArtifactError(f"{origin}: not a valid passport: {contradiction}", hint="export the artifact again")
    return passport
