"""Images of digits: the 1797 small ones that come with scikit-learn, and MNIST."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from collapse_lib._types import Floats, Ints, StrPath
from collapse_lib.checks import one_of, whole_number
from collapse_lib.data._files import (
    DataUnavailable,
    cache_folder,
    contents_checked,
    fetch,
    find,
    missing,
)

__all__ = [
    "DataUnavailable",
    "Images",
    "Split",
    "digits",
    "mnist",
    "read_idx",
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
    ValueError
        If ``part`` is another.

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

    Raises
    ------
    ValueError
        If ``source`` is another, or ``rows`` or ``test`` less than 1.

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
    packed, unpacked = MNIST_CHECKSUMS[name]
    names = name + ".gz", name
    path = find(names, "mnist", folder)
    if path is None:
        if not download:
            raise missing(names, "mnist", folder)
        target = Path(folder) if folder else cache_folder() / "mnist"
        path = fetch(names[0], MNIST_ADDRESSES, packed, target)
    return read_idx(path, sha256=unpacked)


def read_idx(path: StrPath, *, sha256: str | None = None) -> Ints:
    """Read an array of bytes in MNIST's format, compressed or not.

    Parameters
    ----------
    path : str or path-like
        A name that ends in ``.gz`` is that of a compressed file.
    sha256 : str, optional
        The checksum that the uncompressed contents must have.

    Returns
    -------
    ndarray of uint8, of the shape that the file states

    Raises
    ------
    DataUnavailable
        If the file is missing, cannot be unpacked, is cut short or of another format, or has
        another checksum.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "bytes"
    ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))  # one axis, of length 3
    ...     read_idx(file)
    array([7, 8, 9], dtype=uint8)
    """
    path = Path(path)
    get_anew = "delete it and get it anew."
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise DataUnavailable(f"{path} cannot be read: {error.strerror}.") from None
    if not contents:
        raise DataUnavailable(f"{path} is empty: {get_anew}")
    if path.suffix == ".gz":
        try:
            contents = gzip.decompress(contents)
        except (OSError, EOFError, zlib.error) as error:
            raise DataUnavailable(f"{path} cannot be unpacked ({error}): {get_anew}") from None
    # Two zeros, 8 for bytes, the number of axes; the length of each axis; the bytes.
    axes = contents[3] if contents[:3] == b"\x00\x00\x08" and len(contents) > 3 else 0
    start = 4 + 4 * axes
    if not axes or len(contents) < start:
        raise DataUnavailable(
            f"{path} does not start as an array of bytes in MNIST's format does, but with "
            f"{contents[:4].hex(' ')}: {get_anew}"
        )
    shape = np.frombuffer(contents, dtype=">u4", count=axes, offset=4).tolist()
    size = start + math.prod(shape)
    if len(contents) != size:
        raise DataUnavailable(
            f"{path} should hold {size} bytes and holds {len(contents)}: {get_anew}"
        )
    if sha256 is not None:
        contents_checked(contents, sha256, path)
    return np.frombuffer(contents, dtype=np.uint8, offset=start).reshape(shape)
