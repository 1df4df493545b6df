"""How large the experiments are, and on what they run: an ordinary CPU, a free T4, a big GPU.

Seeds that share a stack are trained as one program, see `evolve`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from collapse_lib.checks import one_of
from collapse_lib.deep.stack import Optimiser

__all__ = ["ImagePreset", "MoleculePreset", "Preset", "TextPreset", "choose_preset"]

BIG = 30e9  # bytes of GPU memory from which the big preset is chosen


@dataclass(frozen=True)
class ImagePreset:
    """Sizes of the VAE experiment.

    Attributes
    ----------
    source : {"digits", "mnist"}
    rows, hidden, latent, generations, seeds, seeds_a_stack : int
        Rows are the real images trained on, at most as many as there are. On a CPU half of the
        seeds share a stack, one for each of two cores: a fuller stack comes closer to the
        core's matrix speed.
    optimiser : Optimiser
    """

    source: str
    rows: int
    hidden: int
    latent: int
    generations: int
    seeds: int
    seeds_a_stack: int
    optimiser: Optimiser


@dataclass(frozen=True)
class TextPreset:
    """Sizes of the language-model experiments.

    Attributes
    ----------
    rows, vocabulary, language_words, length : int
        Rows of the topic language trained on (real text has what it has); words kept of real
        text; words of the topic language; words per row.
    width, layers, heads, generations, seeds, seeds_a_stack : int
        On a CPU a stack holds one seed: a fuller one would overrun the cache.
    sample_chunk : int
        Sequences drawn together. Their keys and values take 8 · layers · length · width bytes
        per sequence and member: 16 GB in the big preset with five arms.
    optimiser : Optimiser
    """

    rows: int
    vocabulary: int
    language_words: int
    length: int
    width: int
    layers: int
    heads: int
    generations: int
    seeds: int
    seeds_a_stack: int
    sample_chunk: int
    optimiser: Optimiser


@dataclass(frozen=True)
class MoleculePreset:
    """Sizes of the diffusion experiment.

    Attributes
    ----------
    rows, hidden, generations, seeds, seeds_a_stack : int
        Rows are the molecules of each seed.
    optimiser : Optimiser
    """

    rows: int
    hidden: int
    generations: int
    seeds: int
    seeds_a_stack: int
    optimiser: Optimiser


@dataclass(frozen=True)
class Preset:
    """One machine's worth of experiments.

    Attributes
    ----------
    name, device : str
    images : ImagePreset
    text : TextPreset
    molecules : MoleculePreset
    """

    name: str
    device: str
    images: ImagePreset
    text: TextPreset
    molecules: MoleculePreset


PRESETS = {preset.name: preset for preset in (
    Preset(
        name="cpu", device="cpu",
        images=ImagePreset(
            source="digits", rows=1297, hidden=128, latent=6, generations=10, seeds=6,
            seeds_a_stack=3, optimiser=Optimiser(steps=600, batch=128, learning_rate=4e-3),
        ),
        text=TextPreset(
            rows=2048, vocabulary=768, language_words=256, length=32, width=32, layers=1, heads=2,
            generations=8, seeds=6, seeds_a_stack=1, sample_chunk=128,
            optimiser=Optimiser(steps=300, batch=16, learning_rate=1.6e-2, weight_decay=0.0),
        ),
        molecules=MoleculePreset(
            rows=256, hidden=64, generations=8, seeds=8, seeds_a_stack=4,
            optimiser=Optimiser(steps=800, batch=64, learning_rate=1e-2),
        ),
    ),
    Preset(
        name="t4", device="cuda",
        images=ImagePreset(
            source="mnist", rows=10_000, hidden=400, latent=16, generations=10, seeds=3,
            seeds_a_stack=3, optimiser=Optimiser(steps=3000, batch=256, learning_rate=1e-3),
        ),
        text=TextPreset(
            rows=16_000, vocabulary=1024, language_words=512, length=64, width=128, layers=4,
            heads=4, generations=7, seeds=3, seeds_a_stack=3, sample_chunk=1024,
            optimiser=Optimiser(steps=1500, batch=64, learning_rate=2e-3, precision="float16"),
        ),
        molecules=MoleculePreset(
            rows=1024, hidden=128, generations=8, seeds=8, seeds_a_stack=8,
            optimiser=Optimiser(steps=2000, batch=256, learning_rate=5e-3),
        ),
    ),
    Preset(
        name="gpu", device="cuda",
        images=ImagePreset(
            source="mnist", rows=60_000, hidden=512, latent=16, generations=12, seeds=8,
            seeds_a_stack=8,
            optimiser=Optimiser(steps=6000, batch=512, learning_rate=1e-3, precision="bfloat16"),
        ),
        text=TextPreset(
            rows=31_000, vocabulary=4096, language_words=1024, length=128, width=256, layers=4,
            heads=8, generations=8, seeds=3, seeds_a_stack=3, sample_chunk=1024,
            optimiser=Optimiser(steps=1500, batch=64, learning_rate=1e-3, precision="bfloat16"),
        ),
        molecules=MoleculePreset(
            rows=4096, hidden=256, generations=10, seeds=16, seeds_a_stack=8,
            optimiser=Optimiser(steps=3000, batch=512, learning_rate=3e-3),
        ),
    ),
)}  # fmt: skip


def choose_preset(name: str | None = None) -> Preset:
    """Return the preset of that name, or the one that fits this machine.

    Parameters
    ----------
    name : {"cpu", "t4", "gpu"}, optional

    Returns
    -------
    Preset

    Examples
    --------
    >>> choose_preset("cpu").images.seeds
    6
    """
    if name is None:
        if not torch.cuda.is_available():
            return PRESETS["cpu"]
        memory = torch.cuda.get_device_properties(0).total_memory
        return PRESETS["gpu" if memory > BIG else "t4"]
    preset = PRESETS[one_of("name", name, tuple(PRESETS))]
    if preset.device != "cpu" and not torch.cuda.is_available():
        raise ValueError(f"name must be 'cpu' on a machine without a GPU, got {name!r}")
    return preset
