"""A language whose law is known: by the forward algorithm, by all paths, by drawing."""

import itertools

import numpy as np
import pytest

from collapse_lib.deep.topic_language import TopicLanguage


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
