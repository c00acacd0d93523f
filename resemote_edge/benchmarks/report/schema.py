"""report_schema: the JSON schema of reports, made from the structs that they are written from."""

import inspect
import re
from typing import Any

import msgspec

from resemote_edge.artifacts.record import Measured
from resemote_edge.measuring.results import REPORT_SCHEMA, BenchReport

__all__ = ["report_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: An entry of the section Attributes of a docstring, and the lines that continue it.
_ATTRIBUTE = re.compile(r"^(\w+): (.+(?:\n[ ]+.+)*)", re.MULTILINE)


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of ``report.json``; a description for every key that has one in the code."""
    schema = msgspec.json.schema(BenchReport)
    for definition in schema["$defs"].values():
        _describe(definition)
    properties = schema["$defs"]["BenchReport"]["properties"]
    _describe({"description": Measured.__doc__, "properties": properties})
    version = properties["schema"]
    del version["default"]
    version["const"] = REPORT_SCHEMA
    return {"$schema": _DIALECT, "title": "Report of resemote-edge bench run and bench suite", **schema}


def _describe(definition: dict[str, Any]) -> None:
    """Split a struct's docstring into descriptions of the object and of its keys."""
    text = inspect.cleandoc(definition.pop("description", ""))
    said, _, attributes = text.partition("\n\nAttributes:\n")
    if said:
        definition["description"] = _one_line(said)
    for name, about in _ATTRIBUTE.findall(inspect.cleandoc(attributes)):
        if name in definition.get("properties", {}):
            definition["properties"][name] = {"description": _one_line(about), **definition["properties"][name]}


def _one_line(text: str) -> str:
    """Turn a docstring's words about Python into words about JSON."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))
