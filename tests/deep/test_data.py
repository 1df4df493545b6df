"""Data and exact laws of the deep chapters: none of it needs torch."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from collapse_lib.data.corpus import read_corpus
from collapse_lib.deep import image_metrics, paired, pentane
from collapse_lib.deep.topic_language import TopicLanguage


def test_these_rooms_do_not_import_torch():
    rooms = "corpus, image_metrics, paired, pentane, rows, topic_language"
    code = f"import sys; from collapse_lib.deep import {rooms}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_one_sentence_says_how_to_get_it():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from collapse_lib.deep import need_torch\n"
        "try: need_torch()\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install torch" in said.stdout


# --- the topic language


def test_probabilities_of_all_texts_sum_to_one():
    language = TopicLanguage(words=4, topics=3, seed=2)
    texts = np.array(list(itertools.product(range(4), repeat=5)))
    assert abs(np.exp(language.log_probability(texts)).sum() - 1) < 1e-10


def test_forward_algorithm_against_a_sum_over_all_topic_paths():
    language = TopicLanguage(words=3, topics=2, seed=1)
    text = [2, 0, 1]
    total = 0.0
    for path in itertools.product(range(2), repeat=3):
        p = language.start[path[0]]
        for t, topic in enumerate(path):
            p *= language.emission[topic, text[t]]
            p *= language.transition[topic, path[t + 1]] if t < 2 else 1
        total += p
    assert language.log_probability([text])[0] == pytest.approx(np.log(total), rel=1e-12)


def test_texts_have_the_law_that_is_computed():
    language = TopicLanguage(words=3, topics=2, seed=1)
    texts = np.array(list(itertools.product(range(3), repeat=3)))
    law = np.exp(language.log_probability(texts))
    drawn = language.sample(60_000, 3, rng=3) @ [9, 3, 1]
    seen = np.bincount(drawn, minlength=27)
    chi_square = ((seen - 60_000 * law) ** 2 / (60_000 * law)).sum()
    assert chi_square < 60  # 26 degrees of freedom: p = 2e-4
    uniform = ((seen - 60_000 / 27) ** 2 / (60_000 / 27)).sum()
    assert uniform > 1000


def test_start_is_the_resting_law_of_the_topics():
    language = TopicLanguage(seed=5)
    np.testing.assert_allclose(language.start @ language.transition, language.start)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"words": 1}, "words must be"), ({"stay": 1}, "stay must"), ({"topics": 0}, "topics must")],
)
def test_bad_languages(arguments, message):
    with pytest.raises(ValueError, match=message):
        TopicLanguage(**arguments)


def test_words_out_of_range():
    with pytest.raises(ValueError, match="text must be rows of numbers from 0 to 255"):
        TopicLanguage().log_probability([[256]])


# --- text


def test_corpus_of_a_file(tmp_path):
    path = tmp_path / "story.txt"
    paragraphs = [f"once upon a time there were {name} and bears." for name in "abcdefghij"]
    path.write_text("\n\n".join(paragraphs * 3), encoding="utf-8")
    corpus = read_corpus(path, vocabulary=8, length=4, test=0.2)
    assert len(corpus.vocabulary) == 8
    # ten different paragraphs: two held out, none of them repeated
    assert corpus.train.shape[1] == corpus.test.shape[1] == 4
    assert corpus.train.size <= 8 * 9
    assert corpus.train.max() < 8


def test_corpus_that_is_too_short(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("once upon a time", encoding="utf-8")
    with pytest.raises(ValueError, match=r"path .*short.txt. must hold at least 32 known words"):
        read_corpus(path)
    with pytest.raises(FileNotFoundError, match="path must name a text file"):
        read_corpus(tmp_path / "nothing.txt")


def test_hardly_a_test_row_has_been_trained_on():
    """Only by chance: different paragraphs may share a sentence."""
    corpus = read_corpus(length=16)
    known = set(map(bytes, corpus.train))
    assert np.mean([bytes(row) in known for row in corpus.test]) < 0.01


# --- images


def test_frechet_distance_of_gaussians_is_exact():
    """Samples whose first two moments are exactly those of two given Gaussians."""
    rng = np.random.default_rng(1)

    def exactly(mean, covariance):
        x = rng.standard_normal((50, 3))
        x -= x.mean(axis=0)
        white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
        return mean + white @ np.linalg.cholesky(covariance).T

    a = np.diag([1.0, 4.0, 9.0])
    b = np.diag([4.0, 4.0, 1.0])
    distance = image_metrics.frechet_distance(
        exactly(np.zeros(3), a), exactly(np.array([1.0, 2.0, 0.0]), b)
    )
    assert distance == pytest.approx(1 + 4 + (1 - 2) ** 2 + 0 + (3 - 1) ** 2, abs=1e-9)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    turned = image_metrics.frechet_distance(
        exactly(np.zeros(3), turn @ a @ turn.T), exactly(np.zeros(3), turn @ b @ turn.T)
    )
    assert turned == pytest.approx(5, abs=1e-9)


def test_precision_and_recall_tell_two_failures_apart():
    rng = np.random.default_rng(2)
    real = rng.standard_normal((300, 2))
    narrow = image_metrics.precision_and_recall(real, 0.05 * real[:200])
    wide = image_metrics.precision_and_recall(real, 6 * rng.standard_normal((300, 2)))
    assert narrow[0] == 1 and narrow[1] < 0.2
    assert wide[0] < 0.3 and wide[1] > 0.9


def test_bad_images():
    with pytest.raises(ValueError, match="a and b must be"):
        image_metrics.frechet_distance(np.zeros((3, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="neighbours must be below"):
        image_metrics.precision_and_recall(np.zeros((3, 2)), np.zeros((9, 2)))


def test_judge_knows_digits():
    datasets = pytest.importorskip("sklearn.datasets")
    digits = datasets.load_digits()
    images = digits.data / 16
    judge = image_metrics.Judge.train(images[400:], digits.target[400:])
    assert (judge.classes(images[:400]) == digits.target[:400]).mean() > 0.9
    features = judge.features(images[:400])
    scores = features @ judge.network.coefs_[-1] + judge.network.intercepts_[-1]
    assert (scores.argmax(axis=1) == judge.classes(images[:400])).all()


# --- pentane


def test_bonds_angles_and_torsions_are_what_was_asked_for():
    torsions = np.random.default_rng(1).uniform(-np.pi, np.pi, (200, 2))
    x = pentane.coordinates(torsions)
    bonds = np.diff(x, axis=1)
    np.testing.assert_allclose(np.linalg.norm(bonds, axis=2), pentane.BOND)
    cosine = -(bonds[:, :-1] * bonds[:, 1:]).sum(axis=2) / pentane.BOND**2
    np.testing.assert_allclose(cosine, np.cos(pentane.ANGLE))
    for i in range(2):
        left = np.cross(bonds[:, i], bonds[:, i + 1])
        right = np.cross(bonds[:, i + 1], bonds[:, i + 2])
        cosine = (left * right).sum(axis=1)
        sine = (np.cross(left, right) * bonds[:, i + 1]).sum(axis=1) / pentane.BOND
        np.testing.assert_allclose(np.arctan2(sine, cosine), torsions[:, i], atol=1e-9)


def test_energy_is_that_of_the_mirror_image_and_of_the_reversed_molecule():
    torsions = np.random.default_rng(2).uniform(-np.pi, np.pi, (100, 2))
    energy = pentane.energy(torsions)
    np.testing.assert_allclose(pentane.energy(-torsions), energy)
    np.testing.assert_allclose(pentane.energy(torsions[:, ::-1]), energy)


def test_populations_converge_with_the_grid():
    fine, finer = (pentane.populations(pentane.Pentane(grid=g).mass) for g in (720, 1440))
    assert np.abs(fine - finer).max() < 1e-6
    named = dict(zip(pentane.CONFORMERS, fine, strict=True))
    assert named["tt"] == pytest.approx(0.443, abs=5e-4)
    assert named["g+g+"] == pytest.approx(0.026, abs=5e-4)
    assert named["g+g−"] == pytest.approx(0.001, abs=5e-4)


def test_molecules_have_the_law_of_the_grid():
    law = pentane.Pentane()
    drawn = law.sample(100_000, rng=3)
    share = np.bincount(pentane.conformer(drawn), minlength=9) / 100_000
    expected = pentane.populations(law.mass)
    assert (np.abs(share - expected) < 4 * np.sqrt(expected / 100_000)).all()


def test_width_of_the_trans_well():
    law = pentane.Pentane()
    angle = law.sample(200_000, rng=4)[:, 0]
    trans = angle[np.abs(angle) > 2 * np.pi / 3] % (2 * np.pi) - np.pi
    expected = np.degrees(np.sqrt(-2 * np.log(np.abs(np.exp(1j * trans).mean()))))
    assert pentane.well_sd(law.mass) == pytest.approx(expected, rel=0.01)
    # 44 000 samples in the well: a standard error of 0.4 %
    drawn = law.sample(100_000, rng=3)
    assert pentane.sampled_well_sd(drawn) == pytest.approx(pentane.well_sd(law.mass), rel=0.02)


def test_bad_molecules():
    with pytest.raises(ValueError, match="torsions must be rows of two finite angles"):
        pentane.energy([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="grid must divide 720"):
        pentane.Pentane().cells(77)


# --- paired differences


def test_t_interval_covers_as_often_as_it_says():
    values = np.random.default_rng(5).standard_normal((20_000, 4))
    mean, half = paired.mean_interval(values, axis=1)
    covered = (np.abs(mean) < half).mean()
    assert abs(covered - 0.95) < 0.005  # se .0015


def test_pairing_removes_what_the_seeds_share():
    rng = np.random.default_rng(6)
    shared = 10 * rng.standard_normal(6)
    a, b = shared + 1 + 0.1 * rng.standard_normal(6), shared + 0.1 * rng.standard_normal(6)
    result = paired.paired_difference(a, b)
    assert result.excludes_zero and result.wins == 6 and result.p < 1e-3
    assert result.low < 1 < result.high


def test_too_few_seeds():
    with pytest.raises(ValueError, match="values must be at least two seeds, got 1"):
        paired.mean_interval([1.0])
    with pytest.raises(ValueError, match="a and b must be one value a seed"):
        paired.paired_difference([1.0, 2.0], [1.0])
