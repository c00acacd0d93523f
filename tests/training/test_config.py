import pytest

from resemote_edge.errors import InputError
from resemote_edge.training.config import VARIANTS, load_config
from resemote_edge.training.schedule import dropout_at, learning_rate_at, side_at


def test_variants_differ_in_width_and_a_file_and_options_come_on_top(tmp_path):
    assert [load_config(name).width for name in ("base", "s", "xs")] == [64, 32, 16]
    recipe = tmp_path / "mine.toml"
    recipe.write_text("epochs = 7\nbatch_size = 32\n[augmentation]\nflip = 0.0\n", encoding="utf-8-sig")
    base = load_config("base", recipe).augmentation
    assert (base.flip, base.mixup) == (0.0, load_config("base").augmentation.mixup)
    assert base.mixup > 0.0  # a table in the file changes only the fields it names
    config = load_config("s", recipe, epochs=9, seed=None)
    assert (config.epochs, config.batch_size, config.augmentation.flip, config.width) == (9, 32, 0.0, 32)
    assert config.augmentation.rotation == load_config("s").augmentation.rotation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 3", "epoch"),
        ("epochs = 0", "epochs"),
        ("learning_rate = 'fast'", "learning_rate"),
        ("width = 30", "width"),
        ("[augmentation]\nflip = 2.0", "flip"),
        ("first_side = 32", "first_side"),  # the last block would see a map of 1x1
        ("dropout_start = 0.5\ndropout_full = 0.2", "dropout_full"),
        ("epochs = [", "TOML"),
    ],
)
def test_a_bad_recipe_is_refused_by_name(tmp_path, text, words):
    recipe = tmp_path / "bad.toml"
    recipe.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        load_config("s", recipe)
    assert "bad.toml" in str(error.value)


def test_an_unknown_variant_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=", ".join(VARIANTS)):
        load_config("xl")


def test_the_learning_rate_warms_up_and_falls_on_a_cosine():
    config = load_config("s", None, epochs=10, warmup_epochs=2.0, learning_rate=1.0, final_learning_rate=0.1)
    rates = [learning_rate_at(config, epoch / 10) for epoch in range(101)]
    assert 0.0 < rates[0] < 0.05
    assert rates[20] == pytest.approx(1.0)
    assert max(rates) == rates[20]
    assert rates[60] == pytest.approx(0.55)  # halfway down
    assert rates[100] == pytest.approx(0.1)
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_images_are_small_first_and_whole_when_it_says():
    config = load_config("xs", None, epochs=10, first_side=48, full_side_from=0.7)
    assert [side_at(config, epoch, 64) for epoch in range(10)] == [48] * 7 + [64] * 3
    late = load_config("xs", None, epochs=4, first_side=48, full_side_from=1.0)
    assert [side_at(late, epoch, 64) for epoch in range(4)] == [48, 48, 48, 64]  # at least one epoch can be the best
    assert {side_at(load_config("xs"), epoch, 64) for epoch in range(50)} == {64}


def test_dropout_is_off_at_the_start_and_full_when_it_says():
    config = load_config("s", None, epochs=10, map_dropout=0.2, head_dropout=0.5, dropout_start=0.1, dropout_full=0.5)
    assert dropout_at(config, 0.9) == (0.0, 0.0)
    assert dropout_at(config, 3.0) == pytest.approx((0.1, 0.25))
    assert dropout_at(config, 5.0) == dropout_at(config, 10.0) == pytest.approx((0.2, 0.5))
    at_once = load_config("s", None, dropout_start=0.0, dropout_full=0.0)
    assert dropout_at(at_once, 0.0) == (at_once.map_dropout, at_once.head_dropout)
