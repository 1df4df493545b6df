"""Images of digits: the 1797 small ones that come with scikit-learn, and MNIST."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from collapse_lib._types import Floats, Ints, StrPath
from collapse_lib.checks import one_of, whole_number
from collapse_lib.data._files import DataUnavailable, checked, located

__all__ = [
    "DataUnavailable",
    "Images",
    "Split",
    "digits",
    "mnist",
    "train_and_test",
]

MNIST_ADDRESSES = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

# SHA-256 of each compressed file, and of what is in it. Those of the two test files were
# computed from the files; those of the training files are as several projects publish them.
MNIST_CHECKSUMS = {
    "t10k-images-idx3-ubyte": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "train-images-idx3-ubyte": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
}


@dataclass(frozen=True)
class Images:
    """Grey images with their labels.

    Attributes
    ----------
    pixels : ndarray of float, (n, height, width)
        From 0, the background, to 1.
    labels : ndarray of int, (n,)
    name : str
    """

    pixels: Floats
    labels: Ints
    name: str


def digits() -> Images:
    """Return the 1797 images of 8 × 8 pixels that come with scikit-learn.

    Returns
    -------
    Images

    References
    ----------
    Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998.

    Examples
    --------
    >>> digits().pixels.shape
    (1797, 8, 8)
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return Images(data.images / 16, data.target, "digits")


def mnist(part: str = "test", *, folder: StrPath | None = None, download: bool = False) -> Images:
    """Return the images of MNIST, 28 × 28 pixels.

    Parameters
    ----------
    part : {"test", "train"}
        The 10 000 test images or the 60 000 training images.
    folder : path, optional
        Where the two files are, compressed or not. They are looked for here, then in the
        folder that the environment variable COLLAPSE_DATA names, in a subfolder ``mnist``
        of either, and at last in the user's cache.
    download : bool
        Fetch what is not found, into ``folder`` or else the user's cache.

    Returns
    -------
    Images

    Raises
    ------
    DataUnavailable
        If a file is missing, broken, other than it should be, or out of reach. Says which,
        and the way out.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
    recognition, Proceedings of the IEEE 86, 1998.

    Examples
    --------
    >>> mnist("validation")
    Traceback (most recent call last):
        ...
    ValueError: part must be one of 'test', 'train', got 'validation'
    """
    prefix = {"test": "t10k", "train": "train"}[one_of("part", part, ("test", "train"))]
    pixels, labels = (
        _mnist_file(f"{prefix}-{kind}-ubyte", folder, download)
        for kind in ("images-idx3", "labels-idx1")
    )
    return Images(pixels / 255, labels.astype(int), f"MNIST {part}")


@dataclass(frozen=True)
class Split:
    """Images to train on and images held out, as rows of pixels.

    Attributes
    ----------
    train, test : ndarray of float32, (n, pixels)
    train_labels, test_labels : ndarray of int, (n,)
    side : int
        Height and width of an image.
    name : str
        Where they come from.
    """

    train: Floats
    train_labels: Ints
    test: Floats
    test_labels: Ints
    side: int
    name: str


def train_and_test(
    source: str = "digits",
    *,
    rows: int | None = None,
    test: int = 500,
    folder: StrPath | None = None,
    download: bool = False,
) -> Split:
    """Return images to train on and images held out, of the best source at hand.

    Asked for MNIST, it takes the 60 000 training images and holds out some of the test
    images; without the training images it splits the 10 000 test images; without these it
    takes the small digits. ``name`` says which it was.

    Parameters
    ----------
    source : {"digits", "mnist"}
    rows : int, optional
        Most images to train on.
    test : int
        Images held out.
    folder, download
        As for `mnist`.

    Returns
    -------
    Split

    Examples
    --------
    >>> train_and_test().train.shape, train_and_test().name
    ((1297, 64), 'digits')
    """
    one_of("source", source, ("digits", "mnist"))
    test = whole_number("test", test, minimum=1)
    rows = None if rows is None else whole_number("rows", rows, minimum=1)
    train = held_out = digits()
    if source == "mnist":
        options: dict[str, Any] = {"folder": folder, "download": download}
        try:
            train = held_out = mnist("test", **options)
            train = mnist("train", **options)
        except DataUnavailable:
            pass
    if train is held_out:
        order = np.random.default_rng(0).permutation(len(train.labels))
        chosen, kept = order[test:][:rows], order[:test]
    else:
        chosen, kept = np.arange(len(train.labels))[:rows], np.arange(test)
    return Split(
        *_as_rows(train, chosen), *_as_rows(held_out, kept), train.pixels.shape[1], train.name
    )


def _as_rows(images: Images, chosen: Ints) -> tuple[Floats, Ints]:
    pixels = images.pixels[chosen].reshape(len(chosen), -1)
    return pixels.astype(np.float32), images.labels[chosen]


def _mnist_file(name: str, folder: StrPath | None, download: bool) -> Ints:
    """The array of bytes in a file, after two zeros, 8, and each axis's length in four bytes."""
    packed, unpacked = MNIST_CHECKSUMS[name]
    names, source = (name + ".gz", name), (MNIST_ADDRESSES, packed)
    path = located(names, "mnist", source, folder, download)
    contents = path.read_bytes()
    if path.suffix == ".gz":
        try:
            contents = gzip.decompress(contents)
        except (OSError, EOFError, zlib.error) as error:
            problem = f"{path} cannot be unpacked ({error}): delete it and get it anew."
            raise DataUnavailable(problem) from None
    contents = checked(contents, unpacked, path)
    shape = np.frombuffer(contents, dtype=">u4", count=contents[3], offset=4)
    return np.frombuffer(contents, dtype=np.uint8, offset=4 + shape.nbytes).reshape(shape)
