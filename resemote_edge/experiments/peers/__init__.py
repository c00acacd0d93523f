"""Peers: other tools that are compared with ours; most of them run our network, some their own."""

from pkgutil import resolve_name

from resemote_edge.errors import InputError
from resemote_edge.experiments.peers.base import OwnNetwork, Peer

__all__ = ["PEERS", "get_peer", "own_network"]

#: Name in a contest file to ``module:Class``.
PEERS: dict[str, str] = {
    "pytorch-eager": "resemote_edge.experiments.peers.pytorch_eager:PyTorchEager",
    "onnxruntime-fp32": "resemote_edge.experiments.peers.torch_onnx:TorchONNX",
    "openvino-fp32": "resemote_edge.experiments.peers.openvino_plain:OpenVINOPlain",
    "openvino-bf16": "resemote_edge.experiments.peers.openvino_plain:OpenVINOPlainBF16",
    "onnxruntime-static-default": "resemote_edge.experiments.peers.onnxruntime_static:StaticDefault",
    "onnxruntime-static-best": "resemote_edge.experiments.peers.onnxruntime_static:StaticBest",
    "nncf-default": "resemote_edge.experiments.peers.nncf_default:NNCFDefault",
    "fer-mini-xception": "resemote_edge.experiments.peers.fer_xception:FERMiniXception",
    "fer-mini-xception-batched": "resemote_edge.experiments.peers.fer_xception:FERMiniXceptionBatched",
}


def get_peer(name: str) -> Peer:
    """Return the peer of that name, without importing its tool.

    Raises:
        InputError: No peer has that name.
    """
    if name not in PEERS:
        raise InputError(f"unknown peer {name!r}", hint=f"choose one of {', '.join(PEERS)}")
    peer: Peer = resolve_name(PEERS[name])()
    return peer


def own_network(name: str | None) -> OwnNetwork | None:
    """Return the peer of that name if it brings a network of its own; None otherwise, and for no name.

    Raises:
        InputError: No peer has that name.
    """
    peer = None if name is None else get_peer(name)
    return peer if isinstance(peer, OwnNetwork) else None
