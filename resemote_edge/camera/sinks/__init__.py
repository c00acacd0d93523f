"""Sinks: one module each, and a row in the table. One URI names a sink."""

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from types import MappingProxyType

from resemote_edge.camera.address import shown
from resemote_edge.camera.sinks.base import Sink, SinkOptions
from resemote_edge.errors import InputError

__all__ = ["SINKS", "SinkKind", "open_sink"]


@dataclass(frozen=True, kw_only=True)
class SinkKind:
    """One kind of sink.

    Attributes:
        entry: Its class, as ``module:name``; called with the address and the `SinkOptions`.
        form: Form of its addresses.
        meaning: What it does, as a line of help.
    """

    entry: str
    form: str
    meaning: str


def _kind(entry: str, form: str, meaning: str) -> SinkKind:
    return SinkKind(entry=f"resemote_edge.camera.{entry}", form=form, meaning=meaning)


_MQTT = _kind("sinks.mqtt:MqttSink", "mqtt://HOST[:PORT]/TOPIC", "newest state and events of faces, to a broker")
_WEBHOOK = _kind("sinks.webhook:WebhookSink", "webhook+https://HOST/PATH", "events of faces, by POST")
_VIDEO = _kind("sinks.video:VideoSink", "FILE.mp4", "a film with boxes and labels")

#: Scheme of the address to the kind of sink.
SINKS: Mapping[str, SinkKind] = MappingProxyType(
    {
        "display": _kind("sinks.display:DisplaySink", "display://", "a window with boxes and labels"),
        "file": _VIDEO,
        "jsonl": _kind("sinks.jsonl:JsonlSink", "jsonl:FILE", "one line of JSON a frame; jsonl:- is the output"),
        "live": _kind("live.sink:LiveSink", "live://HOST:PORT", "a page for browsers"),
        "mqtt": _MQTT,
        "mqtts": _MQTT,
        "text": _kind("sinks.text:TextSink", "text:-", "a line for each event of a face, for people"),
        "udp": _kind("sinks.udp:UdpSink", "udp://HOST:PORT", "one datagram of JSON a frame"),
        "webhook+http": _WEBHOOK,
        "webhook+https": _WEBHOOK,
    }
)


def open_sink(address: str, options: SinkOptions) -> Sink:
    """Make the sink that an address names; `Sink.open` comes later, when the run starts.

    Args:
        address: A URI of one of the `SINKS`, or the path of a film, ``.mp4``.
        options: What the user asked for besides.

    Raises:
        InputError: No sink has such an address, or the sink cannot be given counts and is to get them.
        MissingDependencyError: A package that the sink needs is not installed.
        DeviceUnavailableError: This machine has no screen for it.
    """
    make: type[Sink] = resolve_name(SINKS[_scheme(address)].entry)
    if options.aggregate and not make.takes_aggregates:
        raise InputError(
            f"{shown(address)} shows single faces, and --aggregate lets counts alone leave",
            hint="leave the sink or --aggregate out",
        )
    return make(address, options)


def _scheme(address: str) -> str:
    """The key of an address in `SINKS`."""
    scheme, mark, _ = address.partition(":")
    scheme = scheme.lower()
    if mark and scheme in SINKS:
        return scheme
    if "://" not in address and address.lower().endswith(".mp4"):
        return "file"
    forms = ", ".join(dict.fromkeys(kind.form for kind in SINKS.values()))
    raise InputError(f"no sink has the address {shown(address)!r}", hint=f"pass one of {forms}")
