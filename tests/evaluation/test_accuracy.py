import numpy as np
import pytest

import resemote_edge
from resemote_edge.cli.views.accuracy import accuracy_tables
from resemote_edge.data.datasets.fer2013 import load_fer2013
from resemote_edge.evaluation.accuracy import measure_accuracy, summarize, train_copies
from resemote_edge.evaluation.run import EvalRequest, run_eval, write_eval
from resemote_edge.labels import FER2013, RESEMOTENET
from resemote_edge.machine.environment import capture_environment


@pytest.fixture
def splits(tiny_fer2013):
    return load_fer2013(tiny_fer2013)


def one_hot(indices, classes=7):
    return np.eye(classes, dtype=np.float32)[indices]


def test_labels_are_mapped_by_name(splits):
    data = splits["test"]
    right = one_hot([RESEMOTENET.index(FER2013[target]) for target in data.targets])
    report = summarize(right, data, RESEMOTENET)
    assert report.accuracy == 1.0
    assert report.recall == dict.fromkeys(RESEMOTENET, 1.0)
    assert summarize(one_hot(data.targets), data, RESEMOTENET).accuracy < 0.5


def test_confusion_rows_are_true_classes(splits):
    data = splits["test"]
    report = summarize(one_hot(np.full(len(data), RESEMOTENET.index("sad"))), data, RESEMOTENET)
    sad = RESEMOTENET.index("sad")
    assert [row[sad] for row in report.confusion] == [2] * 7
    assert sum(map(sum, report.confusion)) == 14
    assert report.recall["sad"] == 1.0
    assert report.recall["happy"] == 0.0
    assert report.accuracy == pytest.approx(1 / 7)
    low, high = report.accuracy_interval_95
    assert low < 1 / 7 < high


def test_copies_of_training_images_are_left_out(splits):
    test, train = splits["test"], splits["train"]
    test.images[3] = train.images[5]
    mask = train_copies(test, train)
    assert mask.nonzero()[0].tolist() == [3]
    right = one_hot(test.targets)
    right[3] = one_hot([(test.targets[3] + 1) % 7])
    report = summarize(right, test, FER2013, copies=mask)
    assert report.accuracy == pytest.approx(13 / 14)
    assert report.accuracy_without_train_duplicates == 1.0
    assert report.samples_without_train_duplicates == 13


def test_agreement_with_a_reference(artifacts, splits):
    with (
        resemote_edge.load(artifacts("cpu-onnxruntime-fp32").path) as classifier,
        resemote_edge.load(artifacts("any-pytorch-fp32").path) as reference,
    ):
        report = measure_accuracy(classifier, splits["test"], reference=reference)
    assert report.agreement == 1.0
    assert report.reference == "any-pytorch-fp32"


def test_an_evaluation_is_written_whole(artifacts, tiny_fer2013, tmp_path):
    result = run_eval(EvalRequest(artifact=artifacts("cpu-openvino-fp32").path, data=tiny_fer2013, threads=1))
    assert result.accuracy.samples_without_train_duplicates == 14
    assert [path.name for path in write_eval(result, tmp_path / "out")] == ["eval.json", "confusion.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["confusion.png", "eval.json"]
    assert len(accuracy_tables(result)) == 2


def test_the_environment_is_captured():
    environment = capture_environment()
    assert environment.cpu_model
    assert environment.cores_allowed >= 1
    assert environment.memory_total_bytes > 1e8
    assert environment.packages["numpy"] == np.__version__
    assert environment.to_dict()["python"] in environment.to_dict().values()
