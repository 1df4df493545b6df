"""How large the experiments are, and on what they run: an ordinary CPU, a free T4, a big GPU."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from collapse_lib.checks import one_of
from collapse_lib.deep.training import Optimiser

__all__ = ["PRESETS", "ImagePreset", "MoleculePreset", "Preset", "TextPreset", "choose_preset"]

BIG = 30e9  # bytes of GPU memory from which the big preset is chosen


@dataclass(frozen=True)
class ImagePreset:
    """Sizes of the VAE experiment.

    Attributes
    ----------
    source : {"digits", "mnist"}
    rows : int
        Real images trained on, at most as many as there are.
    hidden, latent, generations, seeds : int
    seeds_a_stack : int
        Seeds trained as one program. On a CPU half of them, one stack for each of two cores:
        a fuller stack comes closer to the core's matrix speed.
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
    rows : int
        Rows of the topic language trained on; real text has what it has.
    vocabulary, language_words, length : int
        Words kept of real text; words of the topic language; words a row.
    width, layers, heads, generations, seeds : int
    seeds_a_stack : int
        Seeds trained as one program: one on a CPU, whose cache a fuller stack would overrun.
    sample_chunk : int
        Sequences drawn together. Their keys and values take 8 · layers · length · width bytes
        a sequence and member: 16 GB in the big preset with five arms.
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
    rows, hidden, generations, seeds : int
    seeds_a_stack : int
        Seeds trained as one program.
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

    @property
    def seeds_a_stack(self) -> int:
        """That of the language models."""
        return self.text.seeds_a_stack


PRESETS = {
    "cpu": Preset(
        "cpu",
        "cpu",
        ImagePreset("digits", 1297, 128, 6, 10, 6, 3, Optimiser(600, 128, 4e-3)),
        TextPreset(2048, 768, 256, 32, 32, 1, 2, 8, 6, 1, 128, Optimiser(300, 16, 1.6e-2, 0.0)),
        MoleculePreset(256, 64, 8, 8, 4, Optimiser(800, 64, 1e-2)),
    ),
    "t4": Preset(
        "t4",
        "cuda",
        ImagePreset("mnist", 10_000, 400, 16, 10, 3, 3, Optimiser(3000, 256, 1e-3)),
        TextPreset(
            16_000,
            1024,
            512,
            64,
            128,
            4,
            4,
            7,
            3,
            3,
            1024,
            Optimiser(1500, 64, 2e-3, 0.01, "float16"),
        ),
        MoleculePreset(1024, 128, 8, 8, 8, Optimiser(2000, 256, 5e-3)),
    ),
    "gpu": Preset(
        "gpu",
        "cuda",
        ImagePreset(
            "mnist", 60_000, 512, 16, 12, 8, 8, Optimiser(6000, 512, 1e-3, 0.01, "bfloat16")
        ),
        TextPreset(
            31_000,
            4096,
            1024,
            128,
            256,
            4,
            8,
            8,
            3,
            3,
            1024,
            Optimiser(1500, 64, 1e-3, 0.01, "bfloat16"),
        ),
        MoleculePreset(4096, 256, 10, 16, 8, Optimiser(3000, 512, 3e-3)),
    ),
}


def choose_preset(name: str | None = None) -> Preset:
    """Return the preset of that name, or the one that fits this machine.

    Parameters
    ----------
    name : {"cpu", "t4", "gpu"}, optional

    Returns
    -------
    Preset

    Raises
    ------
    ValueError
        If there is no such preset, or it needs a GPU and there is none.

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
