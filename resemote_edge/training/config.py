"""TrainingConfig: every setting that decides what a training run computes, strictly validated, from TOML."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from resemote_edge.artifacts.record import DECODE_ERRORS, read_text_bytes
from resemote_edge.errors import InputError

__all__ = ["RESEMOTENET", "VARIANTS", "Augmentation", "Distillation", "TrainingConfig", "layered_config", "load_config"]

#: The architecture that the rest of this project deploys.
RESEMOTENET = "resemotenet"

Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Below = Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]


class Augmentation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Random changes of training images; validation and test images are not changed.

    Attributes:
        flip: Probability of a horizontal flip.
        rotation: Largest angle, degrees, either way.
        scale: Largest relative change of size, either way.
        translation: Largest shift along each axis, as a fraction of the side.
        shear: Largest horizontal shear, degrees.
        brightness: Largest shift, as a fraction of full scale.
        contrast: Largest relative change.
        erasing: Probability of covering a rectangle with noise (Zhong et al., 2020).
        erasing_area: Largest part of the image that is covered.
        mixup: Alpha of mixup's Beta distribution (Zhang et al., 2018); 0 for none.
        cutmix: Alpha of CutMix's Beta distribution (Yun et al., 2019); 0 for none. If both are on, each batch takes one
            or the other.
        mixing: Probability that a batch is mixed at all, if mixup or CutMix is on.
        mixing_stop: Fraction of the run after which no batch is mixed any more.
    """

    flip: Fraction = 0.5
    rotation: Annotated[float, msgspec.Meta(ge=0.0, le=180.0)] = 12.0
    scale: Below = 0.15
    translation: Fraction = 0.1
    shear: Annotated[float, msgspec.Meta(ge=0.0, lt=90.0)] = 5.0
    brightness: Fraction = 0.15
    contrast: Below = 0.25
    erasing: Fraction = 0.3
    erasing_area: Fraction = 0.15
    mixup: NotNegative = 0.0
    cutmix: NotNegative = 0.0
    mixing: Fraction = 1.0
    mixing_stop: Fraction = 1.0


class Distillation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings for learning from a teacher (Hinton, Vinyals, Dean, 2015).

    Attributes:
        weight: Part of the loss that compares with the teacher; the rest compares with the labels.
        temperature: Number that both sets of logits are divided by.
        floor: Least accuracy of all teachers together on the validation split, below which the run is refused.
        mirror: Whether the teacher answers with the mean of its logits for an image and for its mirror image, which
            takes it twice the time.
    """

    weight: Fraction = 0.7
    temperature: Positive = 3.0
    floor: Fraction = 0.0
    mirror: bool = False


class TrainingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One recipe.

    Attributes:
        architecture: Network to train: ``resemotenet``; or ``vgg`` or ``resnet``, which are trained to teach it and are
            not exported.
        width: Channels of the first convolution.
        epochs: Passes over the training split; the schedules end with the last.
        batch_size: Images per step over all processes.
        optimizer: Optimizer: AdamW (Loshchilov and Hutter, 2019), or SGD with Nesterov momentum 0.9.
        learning_rate: Learning rate at the top of the schedule.
        warmup_epochs: Epochs of linear rise before the cosine.
        final_learning_rate: End of the cosine, as a fraction of `learning_rate`.
        weight_decay: Weight decay: decoupled for AdamW, part of the gradient for SGD, whose default is 5e-4; BatchNorm
            and biases are not decayed.
        gradient_clip: Largest norm of the gradient; 0 for none, which is the default of SGD.
        label_smoothing: Part of every target spread over all classes.
        map_dropout: Probability of dropping a channel after each pooled convolution, at its full value.
        head_dropout: Probability of dropping a feature of each hidden linear layer, at its full value.
        dropout_start: Fraction of the run before which nothing is dropped, because the deep head must learn first.
        dropout_full: Fraction of the run at which both probabilities reach their full value.
        first_side: Rows and columns of training images at first, 40 to 64; small ones cost less time (Howard, 2018).
        full_side_from: Fraction of the run from which images have the full size of 64, which the last epoch always
            has; only epochs at full size can be the best.
        ema_decay: Decay of the moving average of the weights that is evaluated and kept; 0 for none.
        imbalance: Treatment of rare classes. ``none`` does nothing; ``weights`` weighs classes by their count to the
            power of minus `imbalance_strength`; ``logits`` adds that power of the class priors to the logits in
            training (Menon et al., 2021).
        imbalance_strength: Strength of that treatment: 0 changes nothing, 1 treats all classes alike.
        precision: Precision of training: ``bf16`` for autocast; ``auto`` for bf16 if the processor or card computes in
            it.
        seed: Seed of all random draws.
        augmentation: Random changes of training images.
        distillation: Settings of distillation, used when a teacher is given.
    """

    architecture: Literal["resemotenet", "vgg", "resnet"] = "resemotenet"
    width: Annotated[int, msgspec.Meta(ge=4, multiple_of=4)] = 64
    epochs: Annotated[int, msgspec.Meta(ge=1)] = 50
    batch_size: Annotated[int, msgspec.Meta(ge=2)] = 64
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Positive = 8e-4
    warmup_epochs: NotNegative = 1.0
    final_learning_rate: Fraction = 0.002
    weight_decay: NotNegative = 0.05
    gradient_clip: NotNegative = 1.0
    label_smoothing: Below = 0.1
    map_dropout: Below = 0.1
    head_dropout: Below = 0.3
    dropout_start: Fraction = 0.05
    dropout_full: Fraction = 0.4
    # From 40 to 64, the last block gets a 2x2 map, for which its compact form is exact.
    first_side: Annotated[int, msgspec.Meta(ge=40, le=64)] = 64
    full_side_from: Fraction = 0.7
    ema_decay: Below = 0.999
    imbalance: Literal["none", "weights", "logits"] = "none"
    imbalance_strength: Fraction = 0.5
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    augmentation: Augmentation = Augmentation()
    distillation: Distillation = Distillation()

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain JSON types."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


#: Fields in which each variant differs from the defaults of `TrainingConfig`; a new variant is a row. Wider networks
#: need a lower learning rate, because a step changes the output of a layer more, the more inputs it has.
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {"width": 64, "learning_rate": 8e-4, "augmentation": {"mixup": 0.2, "mixing": 0.5, "mixing_stop": 0.24}},
    "s": {"width": 32, "learning_rate": 1.5e-3},
    "xs": {"width": 16, "learning_rate": 3e-3},
    "nano": {"width": 8, "learning_rate": 4e-3},
    # These are teachers, never exported.
    "vgg": {"architecture": "vgg", "width": 32, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": 128},
    "resnet": {"architecture": "resnet", "width": 64, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": 128},
}

#: Defaults for one optimizer only. SGD's decay is coupled with its learning rate, and the clipping that suits AdamW
#: would almost stop it.
_OPTIMIZERS: dict[str, dict[str, Any]] = {"sgd": {"weight_decay": 5e-4, "gradient_clip": 0.0}}


def load_config(variant: str, path: Path | None = None, **changes: Any) -> TrainingConfig:
    """Make the recipe of a variant, changed first by a file and then by the caller.

    Args:
        variant: Name of the variant, one of `VARIANTS`.
        path: File of TOML with any of the fields of `TrainingConfig`; tables ``[augmentation]`` and ``[distillation]``.
        changes: Fields by name; None leaves a field alone.

    Raises:
        InputError: A variant or field is unknown, a value is out of range, or a file is not TOML.
    """
    where = str(path) if path is not None else f"variant {variant}"
    return layered_config(variant, _read(path) if path is not None else {}, changes, where=where)


def layered_config(variant: str, *layers: Mapping[str, Any], where: str) -> TrainingConfig:
    """Make the recipe of a variant, with one layer of changes after the other on top; tables are merged field by field.

    Args:
        variant: Name of the variant, one of `VARIANTS`.
        layers: Fields by name; None leaves a field alone.
        where: Origin of the changes, for the message of an error.

    Raises:
        InputError: A variant or field is unknown, or a value is out of range.
    """
    if variant not in VARIANTS:
        raise InputError(f"unknown variant {variant!r}", hint=f"choose one of {', '.join(VARIANTS)}")
    fields: dict[str, Any] = dict(VARIANTS[variant])
    for layer in layers:
        for name, value in layer.items():
            if value is not None:
                fields[name] = fields.get(name, {}) | value if isinstance(value, dict) else value
    optimizer = fields.get("optimizer")
    if isinstance(optimizer, str):
        fields = _OPTIMIZERS.get(optimizer, {}) | fields
    try:
        config = msgspec.convert(fields, TrainingConfig)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: not a training recipe: {error}") from None
    if config.dropout_full < config.dropout_start:
        raise InputError(
            f"{where}: dropout_full ({config.dropout_full}) lies before dropout_start ({config.dropout_start})"
        )
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        loaded = msgspec.toml.decode(read_text_bytes(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such training recipe", hint="pass a TOML file") from None
    except DECODE_ERRORS as error:
        raise InputError(f"{path}: not a TOML file: {error}") from None
    fields: dict[str, Any] = loaded
    return fields
