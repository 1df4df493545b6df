"""Stacked deep models: against the machine's matrix speed, naive sampling and one process."""

import functools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from collapse_lib.deep.evolve import Arm, Experiment, evolve
from collapse_lib.deep.presets import PRESETS
from collapse_lib.deep.stack import Optimiser, Streams, fit
from collapse_lib.deep.transformer import Transformer
from collapse_lib.deep.vae import VAE

STEPS = 100


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def multiply(size=1024):
    a, b = torch.randn(size, size), torch.randn(size, size)
    return (lambda: a @ b), 2 * size**3


def share_of_peak(compare, model, data, batch, streams, multiplications):
    """Useful multiplications of training (forward and twice that backward) over the peak."""
    peak, flops = multiply()
    ours, reference = compare(
        lambda: fit(model, lambda: data, Optimiser(STEPS, batch, 1e-3), streams), peak, rounds=3
    )
    done = 3 * 2 * multiplications * batch * model.members * STEPS
    return 100 * (done / ours) / (flops / reference)


def test_vae_against_matrix_peak(compare, report):
    sizes, arms = PRESETS["cpu"].images, 5  # the stack that the chapter trains in one process
    streams = Streams(range(sizes.seeds_a_stack))
    model = VAE(streams, arms, pixels=64, hidden=sizes.hidden, latent=sizes.latent)
    batch = sizes.optimiser.batch
    data = torch.rand(model.members, batch, 64)
    codes = 2 * sizes.latent + sizes.latent  # their means and variances in, codes out
    multiplications = sizes.hidden * (64 + codes + 64)
    share = share_of_peak(compare, model, data, batch, streams, multiplications)
    report("VAE training, of one thread's matrix peak", share, "%", at_least=50)


def test_transformer_against_matrix_peak(compare, report):
    streams = Streams([1])
    width, length, vocabulary = 32, 32, 256
    model = Transformer(streams, 4, vocabulary=vocabulary, length=length, width=width)
    data = torch.randint(0, vocabulary, (4, 16, length))
    token = 12 * width**2 + width * vocabulary + length * width
    share = share_of_peak(compare, model, data, 16, streams, token * length)
    report("transformer training, of one thread's matrix peak", share, "%", at_least=40)


def without_cache(model, rows, streams):
    """Sample as `Transformer.sample` does at temperature 1, but read each row anew per word."""
    uniform = model.for_arms(streams.uniform(model.length, rows, 1))
    text = torch.zeros(model.members, rows, model.length, dtype=torch.long)
    for t in range(model.length):
        logits = model._logits_of(text[..., : t + 1]).view(model.members, rows, t + 1, -1)[:, :, -1]
        below = logits.softmax(-1).cumsum(-1)
        drawn = torch.searchsorted(below, uniform[:, t] * below[..., -1:], right=True)
        text[..., t] = drawn[..., 0]
    return text


@torch.no_grad()
def test_cached_sampling_against_naive(compare, report):
    model = Transformer(Streams([1, 2]), vocabulary=256, length=32, sample_chunk=256)
    ours, naive = compare(
        lambda: model.sample(256, Streams([3, 4]), torch.ones(2)),
        lambda: without_cache(model, 256, Streams([3, 4])),
        rounds=3,
    )
    report("cached sampling against naive", naive / ours, at_least=5)


def no_measure(model, samples, temperature, streams):
    return {"mean": samples.mean((1, 2))}


def test_two_processes_against_one(compare, report):
    data = np.random.default_rng(1).random((1000, 64)).astype("float32")
    build = functools.partial(VAE, pixels=64)
    arms = [Arm("replace"), Arm("accumulate"), Arm("accumulate-subsample")]
    experiment = Experiment(build, data, arms, 3, Optimiser(300, 128, 1e-3), no_measure)

    def run(workers):
        evolve(experiment, seeds=4, workers=workers, progress=False)

    run(2)  # the processes start once
    two, one = compare(lambda: run(2), lambda: run(1), rounds=2)
    report("two processes against one", one / two, at_least=1.7)
