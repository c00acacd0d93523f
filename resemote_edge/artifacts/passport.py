"""Passport: the JSON manifest that travels beside every exported classifier.

It says what the files are (hashes), how to talk to the model (labels, preprocessing, tensor specs), where it came
from (lineage, recipe, tools) and what was measured (verification), so that an artifact can be judged without the
machine that made it. `SCHEMA_VERSION` changes whenever an old reader would misread a new passport.
"""

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from resemote_edge.artifacts.output_format import LOGITS, PROBABILITIES, OutputFormat
from resemote_edge.artifacts.passport_base import BasePassport, BaseVerification
from resemote_edge.artifacts.record import Count, Strict, Text
from resemote_edge.evaluation.paired import PairedComparison
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = [
    "CalibrationManifest",
    "GateResult",
    "GoldenInfo",
    "LayerWork",
    "Lineage",
    "Passport",
    "Quantization",
    "RepairStep",
    "Rewrite",
    "Verification",
]


class LayerWork(Strict, frozen=True, kw_only=True):
    """Work of one layer: what it has to read and to multiply.

    Attributes:
        name: Name of the layer, the same in the model file.
        weights: Number of weights it holds.
        weight_bits: Bits in which each weight is stored.
        multiply_adds: Multiply-adds for one image; products with a padding's zeros are included.
    """

    name: Text
    weights: Count
    weight_bits: Count
    multiply_adds: Count


class Rewrite(Strict, frozen=True, kw_only=True):
    """A rewriting of the graph, with the proof that it is still the same function.

    Attributes:
        name: Name of the rewriting: ``fold-batchnorm``, ``compact`` or ``lower``.
        parameters_before: Weights and biases stored before.
        parameters_after: Weights and biases stored after.
        max_abs_logit_diff_float64: Largest difference to the original network, both in float64: the mathematics.
        max_abs_logit_diff_float32: Largest difference to the original network, both in float32: the rounding.
        inputs: Inputs that both networks computed.
    """

    name: str
    parameters_before: int
    parameters_after: int
    max_abs_logit_diff_float64: float
    max_abs_logit_diff_float32: float
    inputs: str


class CalibrationManifest(Strict, frozen=True, kw_only=True):
    """Record of the images that a quantized model was calibrated with.

    Attributes:
        dataset: Name of the dataset and split.
        split: Name of the split, always ``train``: the other splits are for measuring.
        split_sha256: Hash of the whole split, as `Dataset.sha256` computes it.
        seed: Seed of the choice of images.
        count: Number of images.
        counts: Images per class, by name.
        left_out: Number of images of the split that were not eligible, because they are pixel-identical to a held-out
            image.
        image_sha256: Hashes, one per image, in order: the first 16 hex digits of the sha256 of its pixels (uint8, row
            by row).
        sha256: Hex digest of the pixels of all images, one after the other.
    """

    dataset: str
    split: str
    split_sha256: str
    seed: int
    count: int
    counts: dict[str, int]
    left_out: int
    image_sha256: tuple[str, ...]
    sha256: str


class Quantization(Strict, frozen=True, kw_only=True):
    """Record of what the quantize stage did.

    Attributes:
        scheme: Name of the scheme, as in the recipe.
        weights: Format of the weights. ``int8``: symmetric, one scale per output channel.
        activations: Format of the activations: ``uint8``, ``int8`` or ``float``.
        weight_levels: Largest magnitude of a weight's integer: 127, or 63 where sums of two products must fit 16 bits.
        layers: Layers in eight bits, in order of execution.
        float_layers: Layers left floating because the recipe or the user said so.
        repaired_layers: Layers left floating because the accuracy gate failed with them in eight bits, in that order.
        ranges: Origin of the activation ranges.
        calibration: Images the ranges were observed on; None where activations stay floating.
    """

    scheme: str
    weights: str
    activations: str
    weight_levels: int = 127
    layers: tuple[str, ...]
    float_layers: tuple[str, ...]
    repaired_layers: tuple[str, ...]
    ranges: str
    calibration: CalibrationManifest | None


class RepairStep(Strict, frozen=True, kw_only=True):
    """An attempt that failed the accuracy gate, and what was done about it.

    Attributes:
        upper_drop_points: Upper bound of its accuracy drop, percentage points.
        flip_rate: Fraction of images that changed their top class.
        next_float_layer: The layer that the next attempt left floating.
    """

    upper_drop_points: float
    flip_rate: float
    next_float_layer: str


class GateResult(Strict, frozen=True, kw_only=True):
    """Verdict of the accuracy gate: the exported model against the fp32 reference, paired, on the validation split.

    Attributes:
        status: Outcome: ``passed``, or ``not run: ...`` with the reason.
        max_drop_points: Largest upper bound allowed of the drop's 95 % interval, percentage points.
        data: Dataset and split; None when the gate was not run.
        data_sha256: Hash of the split.
        runtime: Runtime that ran the exported model.
        file: File that was run.
        comparison: Result of the comparison.
        repairs: Attempts before this one.
        repair_latency_ratio: Median latency of one crop of this model, divided by that of the model with nothing
            repaired; both are timed in turn in one process. None when nothing was repaired or the engine cannot run
            here.
    """

    status: str
    max_drop_points: float
    data: str | None = None
    data_sha256: str | None = None
    runtime: str | None = None
    file: str | None = None
    comparison: PairedComparison | None = None
    repairs: tuple[RepairStep, ...] = ()
    repair_latency_ratio: float | None = None


class Lineage(Strict, frozen=True, kw_only=True):
    """Origin of the weights.

    Attributes:
        checkpoint: File name of the checkpoint.
        checkpoint_sha256: Hex sha256 of the checkpoint.
        width: Channels of the first convolution; 64 is the paper's network.
        parameters: Learnable parameters in the original layout.
        training_data: Data it was trained on, as its model card says; None when unknown.
        accuracy: Accuracies as trained, by name, as fractions in [0, 1].
    """

    checkpoint: str
    checkpoint_sha256: str
    width: int
    parameters: int
    training_data: str | None = None
    accuracy: dict[str, float] = msgspec.field(default_factory=dict)


class Verification(BaseVerification, frozen=True, kw_only=True):
    """Outcome of the verify stage: exported model against PyTorch on the same inputs.

    For a floating model, PyTorch computes the original network. For a quantized model, it computes the quantized graph:
    that shows whether the engine computes what was exported. The accuracy gate judges what quantization itself cost.
    The limit on the difference is the recipe's, halved for probabilities.

    Attributes:
        compared: Output that was compared, ``logits`` or ``probabilities``, whichever the model gives.
        top1_agreement: Fraction of inputs with the same top class, in [0, 1].
        top1_agreement_limit: Limit the recipe sets on it.
    """

    compared: OutputFormat
    top1_agreement: float
    top1_agreement_limit: float


class GoldenInfo(Strict, frozen=True, kw_only=True):
    """Self-test data: drawn crops and the logits the model must give for them.

    Attributes:
        crops: Name of the crops' file; ``npy`` uint8 (N, H, W, 3) in RGB.
        logits: Name of the logits' file; ``npy`` float32 (N, classes), computed by PyTorch on the CPU: by the original
            network, or, where the model is quantized, by the quantized graph.
        count: Number of crops, N.
        max_abs_diff: Largest difference the self-test allows, between logits or probabilities, whichever the model
            gives.
    """

    crops: Text
    logits: Text
    count: Annotated[int, Meta(ge=1, le=4096)]
    max_abs_diff: Annotated[float, Meta(ge=0.0)]


class Passport(BasePassport, frozen=True, kw_only=True):
    """The manifest of a classifier; see the module docstring.

    Attributes:
        labels: Class names in the order of the logits.
        preprocessing: Steps from a face crop to the input.
        lineage: Origin of the weights.
        recipe: The export recipe, whole.
        golden: Self-test data.
        layers: Work of each layer, in order of execution.
        rewrites: Rewritings of the graph, in order, each with its proof.
        quantization: Record of the layers put into eight bits, and how; None for fp32 and fp16.
        gate: Verdict of the accuracy gate; None for fp32, which the verify stage holds to rounding.
        verification: Measurements of the verify stage; None only while an export is under way.

    There is one output, named ``logits`` or ``probabilities``, whichever it is.
    """

    kind: ClassVar[str] = "classifier"

    labels: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=4096)]
    preprocessing: PreprocessSpec
    lineage: Lineage
    recipe: dict[str, Any]
    golden: GoldenInfo
    layers: tuple[LayerWork, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    quantization: Quantization | None = None
    gate: GateResult | None = None
    verification: Verification | None = None

    @property
    def output(self) -> OutputFormat:
        """Kind of output of the model."""
        return PROBABILITIES if self.outputs[0].name == PROBABILITIES else LOGITS
