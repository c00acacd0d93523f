"""Peers: the same network through other people's tools, to be measured beside ours."""

from importlib import import_module

from resemote_edge.benchmarks.peers.base import Peer
from resemote_edge.errors import InputError

__all__ = ["PEERS", "get_peer"]

#: Name in a suite file to ``module:Class``.
PEERS: dict[str, str] = {
    "pytorch-eager": "resemote_edge.benchmarks.peers.pytorch_eager:PyTorchEager",
    "onnxruntime-fp32": "resemote_edge.benchmarks.peers.torch_onnx:TorchONNX",
    "openvino-fp32": "resemote_edge.benchmarks.peers.openvino_plain:OpenVINOPlain",
    "openvino-bf16": "resemote_edge.benchmarks.peers.openvino_plain:OpenVINOPlainBF16",
    "onnxruntime-static-default": "resemote_edge.benchmarks.peers.onnxruntime_static:StaticDefault",
    "onnxruntime-static-best": "resemote_edge.benchmarks.peers.onnxruntime_static:StaticBest",
    "nncf-default": "resemote_edge.benchmarks.peers.nncf_default:NNCFDefault",
}


def get_peer(name: str) -> Peer:
    """The peer of that name; its tool is imported only when it prepares or opens something.

    Raises:
        InputError: No peer has that name.
    """
    if name not in PEERS:
        raise InputError(f"unknown peer {name!r}; choose one of {', '.join(PEERS)}")
    module, _, attribute = PEERS[name].partition(":")
    peer: Peer = getattr(import_module(module), attribute)()
    return peer
