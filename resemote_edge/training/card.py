"""The model card of a training run: origin of the weights, what they do, and what they must not be used for."""

import json
import platform
from pathlib import Path
from typing import Any

import msgspec
import torch

from resemote_edge import __version__
from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.record import json_bytes
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.training.evaluation import FinalEvaluation
from resemote_edge.training.run.state import RunState

__all__ = ["card_markdown", "make_card", "write_card"]

#: Remarks on the data of each kind of dataset.
_DATA_NOTES: dict[str, str] = {
    "fer2013": "FER2013 was published for a research competition; check its terms before a model trained on it goes "
    "into a product.",
    "ferplus": "FERPlus's labels are under the MIT licence; the images are FER2013's, published for a research "
    "competition: check their terms before a model trained on them goes into a product.",
    "rafdb": "RAF-DB is given out for non-commercial research; a model trained on it stands under the same terms.",
    "affectnet": "AffectNet is given out for non-commercial research; a model trained on it stands under the same "
    "terms.",
    "expw": "ExpW is given out for non-commercial research; a model trained on it stands under the same terms.",
    "folder": "A folder of one's own: whoever trained states the licence of the images.",
}
_LIMITS = (
    "A facial expression is not an emotion felt; do not base decisions about people on this model.",
    "Labels of facial expressions are noisy, and recall differs between classes: see the table of recall.",
    "The images are no balanced sample of ages, skin tones or cultures; accuracy on other people was not measured.",
    "Only upright, roughly centred face crops were trained on.",
)

#: Names for people.
_ARCHITECTURES = {"resemotenet": "ResEmoteNet", "vgg": "VGG (a teacher)", "resnet": "ResNet (a teacher)"}


def make_card(state: RunState, evaluation: FinalEvaluation, parameters: int) -> dict[str, Any]:
    """Assemble the card.

    Args:
        state: State of the finished run.
        evaluation: Evaluation of the chosen weights.
        parameters: Learnable parameters in the published layout.

    Returns:
        The card as plain JSON types: the fields of `resemote_edge.models.checkpoint.ModelCard`, and more for people.
    """
    context, test = state.context, evaluation.test
    accuracy = {
        "validation": evaluation.validation.accuracy,
        "test": test.accuracy,
        "test_flip": evaluation.test_flip.accuracy,
    }
    if test.accuracy_without_train_duplicates is not None:
        accuracy["test_without_train_duplicates"] = test.accuracy_without_train_duplicates
    kind = context["dataset"]
    return {
        "name": context["name"],
        "architecture": _ARCHITECTURES[state.recipe["architecture"]],
        "width": state.recipe["width"],
        "parameters": parameters,
        "labels": list(context["labels"]),
        "storage": {"dtype": "float32", "layout": "published"},
        "training_data": f"{kind} training split, {context['train_images']:,} images",
        "training": {
            "recipe": state.recipe,
            "best_epoch": state.best_epoch,
            "selected_on": f"{kind} validation split, averaged weights",
            "teachers": [_identity(teacher) for teacher in context["teachers"]],
            "teachers_validation_accuracy": context.get("teachers_accuracy"),
            "init": None if context["init"] is None else _identity(context["init"]),
            "seconds": round(sum(record.seconds for record in state.history)),
            "processes": context["processes"],
            "device": context["device"],
            "versions": {
                "resemote_edge": __version__,
                "torch": str(torch.__version__),
                "python": platform.python_version(),
            },
        },
        "data": {
            "kind": kind,
            "train_sha256": context["train_sha256"],
            "validation_sha256": evaluation.validation.dataset_sha256,
            "test_sha256": test.dataset_sha256,
            "licence": _DATA_NOTES[kind],
        },
        "accuracy": {f"{kind}_{name}": value for name, value in accuracy.items()},
        "evaluation": {
            "test": test.to_dict(),
            "test_flip": evaluation.test_flip.to_dict(),
            "validation": evaluation.validation.to_dict(),
        },
        "intended_use": "Recognising the expression of a face crop on edge devices; research, development, "
        "demonstrations.",
        "limits": list(_LIMITS),
    }


def card_markdown(card: dict[str, Any]) -> str:
    """Write a card as Markdown, for people."""
    training, data = card["training"], card["data"]
    recipe = training["recipe"]
    reports = {name: msgspec.convert(value, AccuracyReport, strict=False) for name, value in card["evaluation"].items()}
    test = reports["test"]
    width = f"{card['width']} channels in the first convolution"
    lines = [
        f"# {card['name']}",
        "",
        f"{card['architecture']}, {width}, {card['parameters']:,} parameters in the published layout.",
        "This page is made from the JSON file of the same name.",
        "",
        "| | |",
        "|---|---|",
        f"| Label order | {', '.join(card['labels'])} |",
        f"| Storage | {card['storage']['dtype']}, {card['storage']['layout']} layout |",
        "",
        "| | accuracy | 95 % interval | images |",
        "|---|---|---|---|",
    ]
    for name, title in (("test", "test, single view"), ("test_flip", "test, with the mirror image")):
        lines += _accuracy_rows(title, reports[name])
    lines += _accuracy_rows("validation (chose the weights)", reports["validation"])[:1]
    lines += ["", f"Expected calibration error on the test split: {test.ece:.3f}.", ""]
    lines += ["| class | recall on the test split |", "|---|---|"]
    lines += [f"| {label} | {share * 100:.1f} % |" for label, share in test.recall.items()]
    lines += ["", "| true \\ predicted | " + " | ".join(test.labels) + " |", "|---|" + "---|" * len(test.labels)]
    lines += [
        f"| {label} | " + " | ".join(map(str, row)) + " |"
        for label, row in zip(test.labels, test.confusion, strict=True)
    ]
    origin = f", started from {_which(training['init'])}" if training["init"] else ""
    if training["teachers"]:
        origin += f", taught by {' and '.join(map(_which, training['teachers']))}"
        together = training.get("teachers_validation_accuracy")
        origin += "" if together is None else f" (together {together * 100:.2f} % on the validation split)"
    lines += [
        "",
        f"**Training.** {card['training_data']}; {recipe['epochs']} epochs{origin}, epoch {training['best_epoch']} "
        f"chosen on the {training['selected_on']}; seed {recipe['seed']}; {training['device']}, "
        f"{training['processes']} process(es), {training['seconds'] / 60:.0f} minutes; "
        f"torch {training['versions']['torch']}. The whole recipe:",
        "",
        "```json",
        json.dumps(recipe, indent=2),
        "```",
        "",
        f"**Intended use.** {card['intended_use']}",
        "",
        "**Limits.**",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
        f"**Data licence.** The weights contain no images. {data['licence']}",
        "",
        "**Hashes of the splits** (pixels and labels): "
        + ", ".join(f"{split} `{data[f'{split}_sha256'][:16]}`" for split in ("train", "validation", "test"))
        + ".",
    ]
    return "\n".join(lines) + "\n"


def _identity(checkpoint: dict[str, str]) -> dict[str, str]:
    """Name and hash; the path is private."""
    return {key: checkpoint[key] for key in ("name", "sha256")}


def _which(checkpoint: dict[str, str]) -> str:
    return f"{checkpoint['name']} (sha256 `{checkpoint['sha256'][:16]}`)"


def _accuracy_rows(title: str, report: AccuracyReport) -> list[str]:
    low, high = (f"{end * 100:.2f}" for end in report.accuracy_interval_95)
    rows = [f"| {title} | {report.accuracy * 100:.2f} % | {low} to {high} % | {report.samples:,} |"]
    if report.accuracy_without_train_duplicates is not None:
        share = f"{report.accuracy_without_train_duplicates * 100:.2f} %"
        rows.append(
            f"| {title}, without copies of training images | {share} | | {report.samples_without_train_duplicates:,} |"
        )
    return rows


def write_card(card: dict[str, Any], weights: Path) -> tuple[Path, Path]:
    """Write both forms beside a weights file; return their paths."""
    data, text = weights.with_suffix(".json"), weights.with_suffix(".md")
    write_file(data, json_bytes(card))
    write_file(text, card_markdown(card))
    return data, text
