from dataclasses import replace

import numpy as np
import torch
from training.drawn_sets import drawn_dataset

from resemote_edge.training.images.batches import label_order, target_distribution


def test_votes_are_kept_in_the_order_of_the_logits():
    dataset = drawn_dataset("validation", 14)
    votes = np.full((14, 7), 0.05, dtype=np.float32)
    votes[np.arange(14), dataset.targets] = 0.7
    opinions = target_distribution(replace(dataset, soft_targets=votes), dataset.labels[::-1])
    torch.testing.assert_close(opinions, torch.from_numpy(votes[:, ::-1].copy()))


def test_one_label_is_one_hot_in_the_order_of_the_logits():
    dataset = drawn_dataset("validation", 14)
    targets = target_distribution(dataset, dataset.labels[::-1])
    assert targets.sum(dim=1).tolist() == [1.0] * 14
    assert targets.argmax(dim=1).tolist() == (6 - dataset.targets).tolist()


def test_the_seven_emotions_are_in_the_published_order_and_other_classes_in_their_own():
    fer2013 = replace(
        drawn_dataset("validation", 14), labels=("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    )
    assert label_order(fer2013) == ("happy", "surprise", "sad", "anger", "disgust", "fear", "neutral")
    three = drawn_dataset("validation", 14, labels=("blank", "frown", "smile"))
    assert label_order(three) == ("blank", "frown", "smile")
