"""Images are read from the reader's files or a download; what is broken is named."""

import gzip
import hashlib
import http.server
import os
import re
from pathlib import Path

import numpy as np
import pytest

from collapse_lib.data import images
from collapse_lib.data._files import DataUnavailable
from collapse_lib.data.images import digits, mnist, train_and_test

PIXELS = np.random.default_rng(1).integers(256, size=(3, 4, 5), dtype=np.uint8)
PIXELS[0, 0, :2] = 0, 255
LABELS = np.array([7, 0, 9], dtype=np.uint8)
IMAGES_FILE, LABELS_FILE = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(array):
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


FILES = {IMAGES_FILE: idx(PIXELS), LABELS_FILE: idx(LABELS)}


def zipped(content):
    return gzip.compress(content, mtime=0)


def write(folder, compressed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        path = folder / (name + ".gz" if compressed else name)
        path.write_bytes(zipped(content) if compressed else content)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Tiny files in MNIST's place, an empty cache, and nothing named by the environment."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COLLAPSE_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    sums = {
        name: tuple(hashlib.sha256(c).hexdigest() for c in (zipped(content), content))
        for name, content in FILES.items()
    }
    monkeypatch.setattr(images, "MNIST_CHECKSUMS", sums)


@pytest.fixture
def server(loopback, monkeypatch):
    """A folder on the loopback address in MNIST's place."""
    monkeypatch.setattr(images, "MNIST_ADDRESSES", (loopback.address,))
    return loopback.folder


def check(result):
    np.testing.assert_array_equal(result.pixels, PIXELS / 255)
    assert result.pixels.min() == 0 and result.pixels.max() == 1
    np.testing.assert_array_equal(result.labels, LABELS)
    assert result.labels.dtype == int and result.name == "MNIST test"


def error_of(call):
    with pytest.raises(DataUnavailable) as error:
        call()
    message = str(error.value)
    assert "\n" not in message and message.endswith(".")
    assert isinstance(error.value, FileNotFoundError) and isinstance(error.value, ValueError)
    return message


def test_digits():
    result = digits()
    assert result.pixels.shape == (1797, 8, 8) and result.labels.shape == (1797,)
    assert result.pixels.min() == 0 and result.pixels.max() == 1
    assert np.unique(result.labels).tolist() == list(range(10))


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("below", ["", "mnist"])
def test_the_folder_named(tmp_path, compressed, below):
    write(tmp_path / "mine" / below, compressed)
    check(mnist(folder=tmp_path / "mine"))
    check(mnist(folder=str(tmp_path / "mine")))


@pytest.mark.parametrize("below", ["", "mnist"])
def test_the_folder_of_the_environment(tmp_path, monkeypatch, below):
    write(tmp_path / "data" / below)
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path / "data"))
    check(mnist())
    check(mnist(folder=tmp_path / "nothing"))


def test_the_cache(tmp_path):
    write(tmp_path / "cache" / "collapse-lib" / "mnist")
    check(mnist())


def test_a_missing_file_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("COLLAPSE_DATA", str(tmp_path / "data"))
    message = error_of(lambda: mnist(folder=tmp_path / "mine"))
    for word in [IMAGES_FILE, "mine", "mine/mnist", "data", "data/mnist", "cache", "COLLAPSE_DATA"]:
        assert word in message
    assert "download=True" in message


BROKEN = {
    "empty": (b"", "not the file it should be"),
    "not gzip": (b"hello", "cannot be unpacked"),
    "cut short": (zipped(FILES[IMAGES_FILE])[:-20], "cannot be unpacked"),
    "one bit wrong": (zipped(FILES[IMAGES_FILE])[:-8] + bytes(8), "cannot be unpacked"),
    "broken inside": (zipped(FILES[IMAGES_FILE])[:12] + b"\xff" * 30, "cannot be unpacked"),
    "other format": (zipped(b"\x89PNG" + bytes(99)), "not the file it should be"),
    "pixels cut short": (zipped(FILES[IMAGES_FILE][:-1]), "not the file it should be"),
    "other pixels": (zipped(idx(255 - PIXELS)), "not the file it should be"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_named(tmp_path, kind):
    write(tmp_path)
    path = tmp_path / (IMAGES_FILE + ".gz")
    content, words = BROKEN[kind]
    path.write_bytes(content)
    message = error_of(lambda: mnist(folder=tmp_path))
    assert str(path) in message and words in message and "get it anew" in message


def left_behind(tmp_path):
    cache = tmp_path / "cache"
    return [path for path in cache.rglob("*") if path.is_file()]


def test_a_download_is_kept(tmp_path, server):
    write(server)
    check(mnist(download=True))
    assert {path.name for path in left_behind(tmp_path)} == {name + ".gz" for name in FILES}
    for name in FILES:
        (server / (name + ".gz")).unlink()
    check(mnist(download=True))
    check(mnist())


def test_a_download_into_a_folder_named(tmp_path, server):
    write(server)
    check(mnist(folder=tmp_path / "mine", download=True))
    assert (tmp_path / "mine" / (IMAGES_FILE + ".gz")).exists()
    assert not left_behind(tmp_path)


def test_the_second_address_serves_where_the_first_does_not(server, monkeypatch):
    write(server)
    addresses = ("http://127.0.0.1:9/", *images.MNIST_ADDRESSES)
    monkeypatch.setattr(images, "MNIST_ADDRESSES", addresses)
    check(mnist(download=True))


@pytest.mark.parametrize("content", [b"", b"something else", zipped(FILES[IMAGES_FILE])[:-9]])
def test_a_wrong_download_leaves_nothing(tmp_path, server, content):
    write(server)
    (server / (IMAGES_FILE + ".gz")).write_bytes(content)
    message = error_of(lambda: mnist(download=True))
    for word in [
        IMAGES_FILE,
        "127.0.0.1",
        "does not match the known hash",
        str(tmp_path / "cache"),
    ]:
        assert word in message
    assert not left_behind(tmp_path)


def test_a_broken_connection_leaves_nothing(tmp_path, server, monkeypatch):
    write(server)

    def promise_more(self, source, outputfile):
        outputfile.write(source.read(10))

    monkeypatch.setattr(http.server.SimpleHTTPRequestHandler, "copyfile", promise_more)
    message = error_of(lambda: mnist(download=True))
    assert IMAGES_FILE in message and "Connection broken" in message
    assert not left_behind(tmp_path)


def test_a_file_that_is_not_there(tmp_path, server):
    message = error_of(lambda: mnist(download=True))
    assert IMAGES_FILE in message and "404" in message
    assert not left_behind(tmp_path)


def test_no_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MNIST_ADDRESSES", ("http://127.0.0.1:9/",))
    message = error_of(lambda: mnist(download=True))
    for word in [IMAGES_FILE, "127.0.0.1:9", "refused", str(tmp_path / "cache")]:
        assert word in message
    assert not left_behind(tmp_path)


def test_another_part_is_refused():
    with pytest.raises(ValueError, match="part must be one of 'test', 'train', got 'all'"):
        mnist("all")


def test_checksums_are_sha256():
    sums = Path(images.__file__).read_text(encoding="utf-8")
    assert len(set(re.findall(r'"[0-9a-f]{64}"', sums))) == 8


DATA = os.environ.get("COLLAPSE_DATA")


@pytest.mark.skipif(not DATA, reason="MNIST itself is read where COLLAPSE_DATA names a folder")
def test_mnist_itself(monkeypatch):
    monkeypatch.undo()
    result = mnist()
    assert result.pixels.shape == (10_000, 28, 28)
    assert result.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_the_split_holds_every_image_once():
    data = train_and_test(test=400)
    assert data.train.dtype == np.float32 and len(data.train) == 1397 and data.side == 8
    whole = np.concatenate([data.train, data.test])
    order = np.lexsort(whole.T)
    real = images.digits().pixels.reshape(1797, 64).astype(np.float32)
    np.testing.assert_array_equal(whole[order], real[np.lexsort(real.T)])
    assert len(train_and_test(rows=50).train) == len(train_and_test(rows=50).train_labels) == 50


def made_up(parts):
    """Stands in for `mnist`: what of it is at hand."""

    def mnist(part, folder, download):
        if part not in parts:
            raise images.DataUnavailable(part)
        size = {"test": 30, "train": 60}[part]
        pixels = np.linspace(0, 1, size)[:, None, None] * np.ones((1, 3, 3))
        return images.Images(pixels, np.arange(size), f"MNIST {part}")

    return mnist


@pytest.mark.parametrize(
    "parts, name, sizes",
    [
        (("test", "train"), "MNIST train", (60, 10)),
        (("test",), "MNIST test", (20, 10)),
        (("train",), "digits", (1787, 10)),
        ((), "digits", (1787, 10)),
    ],
)
def test_the_best_source_at_hand_is_taken(monkeypatch, parts, name, sizes):
    monkeypatch.setattr(images, "mnist", made_up(parts))
    data = train_and_test("mnist", test=10)
    assert (data.name, (len(data.train), len(data.test))) == (name, sizes)
    assert len(data.train_labels) == sizes[0]
    if name == "MNIST test":
        assert not set(data.train_labels) & set(data.test_labels)


@pytest.mark.parametrize("bad", [{"source": "letters"}, {"rows": 0}, {"test": 0}])
def test_bad_splits(bad):
    with pytest.raises(ValueError, match=f"{next(iter(bad))}"):
        train_and_test(**bad)
