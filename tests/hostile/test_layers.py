"""Layer tars that are cut, lie or have no bottom: one typed error that says where, in bounded time and memory."""

from __future__ import annotations

import bz2
import gzip
import inspect
import io
import lzma
import resource
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import ArchiveError, ArchiveLimitError, LayerSimError
from tests.oracles import require_program
from tests.tars import BLOCK, END, Entry, directory, hardlink, header, layer_tar, pax, symlink

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = 1 << 30
PLAIN = layer_tar([directory("d"), Entry("d/f", content=b"f" * 700), symlink("s", "d"), hardlink("h", "d/f")])


def zstd(data: bytes) -> bytes:
    """Compress as zstd's own program does."""
    return subprocess.run([require_program("zstd", "zstd"), "-c"], input=data, capture_output=True, check=True).stdout


PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd}


def test_a_cut_layer_is_refused_where_go_refuses_it() -> None:
    """Between members, and in the padding after the last data, Go's reader takes the end for the end."""
    whole, names = len(PLAIN.rstrip(b"\0")), [entry.path for entry in ls.Layer.from_tar(PLAIN)]
    unseen = 0
    for end in range(1, whole):
        layer, error = attempt(PLAIN[:end])
        if layer is not None:
            unseen += 1
            assert {entry.path for entry in layer} < set(names)
        else:
            assert error is not None
            assert error.offset is not None
            assert 0 <= error.offset <= end
    assert 0 < unseen < whole / 3


def attempt(tar: bytes) -> tuple[ls.Layer | None, ArchiveError | None]:
    """Return the layer, or why there is none."""
    try:
        return ls.Layer.from_tar(tar), None
    except ArchiveError as error:
        return None, error


@pytest.mark.parametrize(
    "block",
    [
        header(size=b"-0000000001"),
        header(size=b"77777777777"),
        header(size=b"\x80" + b"\xff" * 11),
        header(size=b"\xff" * 12),
        header(size=b"12x"),
        header(mode=b"zzz"),
        header(mtime=b"nonsense"),
        header(typeflag=b"Z"),
        header(typeflag=b"1", linkname=b"nowhere"),
        header(typeflag=b"1", linkname=b"../../etc/passwd"),
        header(devmajor=b"no"),
        header()[:148] + b"0000000\0" + header()[156:],
    ],
    ids=lambda block: repr(bytes(block.rstrip(b"\0")[100:])),
)
def test_a_header_that_lies(block: bytes) -> None:
    first = header(name=b"first/", typeflag=b"5")
    with pytest.raises(ArchiveError) as caught:
        ls.Layer.from_tar(first + block + END)
    assert caught.value.offset == BLOCK
    assert str(BLOCK) in str(caught.value)


@pytest.mark.parametrize(
    "records",
    [
        b"7 a=b\n",
        b"5 a=b\n",
        b"999999 path=a\n",
        b"-6 a=b\n",
        b"13 size=100x\n",
        b"29 size=99999999999999999999\n",
        b"11 uid=-7\n ",
        b"no record at all",
        b"9 path=\0\n",
    ],
    ids=repr,
)
def test_an_extended_header_that_lies(records: bytes) -> None:
    with pytest.raises(ArchiveError):
        ls.Layer.from_tar(pax(records) + header(size=b"%011o" % 3) + b"abc".ljust(BLOCK, b"\0") + END)


def test_names_that_climb_stay_below_the_root() -> None:
    for name in ("../x", "/../../x", "a/../../x", "//x", "./././x"):
        layer = ls.Layer.from_tar(layer_tar([Entry(name, content=b"1")]))
        assert [entry.path for entry in layer if entry.kind == "file"] == ["x"], name


def test_a_path_of_a_million_components() -> None:
    path = b"a/" * 1_000_000 + b"a"
    record = b" path=" + path + b"\n"
    record = b"%d" % (len(record) + 7) + record
    with pytest.raises(ArchiveError):
        ls.Layer.from_tar(pax(record) + header() + END)


def test_a_path_deeper_than_the_kernel_names() -> None:
    with pytest.raises((ArchiveError, OSError)):
        ls.Layer.from_changes([ls.mkdir("/" + "/".join("d" for _ in range(5000)))])


def test_limits_are_adjustable() -> None:
    with pytest.raises(ArchiveLimitError) as caught:
        ls.Layer.from_tar(PLAIN, limits=ls.Limits(entries=2))
    assert caught.value.limit == 2
    with pytest.raises(ArchiveLimitError):
        ls.Layer.from_tar(PLAIN, limits=ls.Limits(file_bytes=699))
    assert ls.Layer.from_tar(PLAIN, limits=ls.Limits(file_bytes=700)).size == 701
    for name in inspect.signature(ls.Limits).parameters:
        with pytest.raises((ValueError, OverflowError, TypeError)):
            ls.Limits(**{name: -1})


def just_over_the_free_bytes() -> tuple[bytes, int]:
    """Return a compressed tar for which the ratio counts, and its ratio, rounded up."""
    size = 257 << 20
    packed = gzip.compress(bytes(size), compresslevel=1)
    return packed, -(-size // len(packed))


# A layer, and the smallest value of the limit that lets it in.
LIMITED: dict[str, Callable[[], tuple[bytes, int]]] = {
    "entries": lambda: (PLAIN, 4),
    "file_bytes": lambda: (PLAIN, 700),
    "header_bytes": lambda: (sparse_claim(1 << 20), 75),
    "depth": lambda: (PLAIN, 2),
    "sparse_pieces": lambda: (sparse_claim(1 << 20), 1),
    "inflated_bytes": lambda: (gzip.compress(PLAIN), len(PLAIN)),
    "inflation_ratio": just_over_the_free_bytes,
}


def test_no_limit_is_left_out() -> None:
    assert inspect.signature(ls.Limits).parameters.keys() == LIMITED.keys()


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_lets_in_what_it_names_and_no_more(name: str) -> None:
    tar, enough = LIMITED[name]()
    ls.Layer.from_tar(tar, limits=ls.Limits(**{name: enough}))
    with pytest.raises(ArchiveLimitError, match="over the limit of") as caught:
        ls.Layer.from_tar(tar, limits=ls.Limits(**{name: enough - 1}))
    assert caught.value.limit == (enough - 1) * (len(tar) if name == "inflation_ratio" else 1)


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_broken_stream(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PLAIN)
    assert ls.Layer.from_tar(packed).diff_id == ls.sha256(PLAIN)
    for end in range(8, len(packed) - 1, 5):
        with pytest.raises(LayerSimError):
            ls.Layer.from_tar(packed[:end])
    for at in range(len(packed) // 2, len(packed) - 12, 7):
        broken = bytearray(packed)
        broken[at] ^= 0x55
        try:
            layer = ls.Layer.from_tar(bytes(broken))
        except LayerSimError:
            continue
        assert layer.diff_id == ls.sha256(PLAIN)


HERE = "import tests.hostile.test_layers as t"
BOMBS = """
import sys, zlib, layersim as ls
def bomb(size):
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(pack.compress(bytes(1 << 20)) for _ in range(size >> 20)), pack.flush()])
{source}
try:
    ls.Layer.from_tar(data{options})
except ls.LayerSimError as error:
    print(type(error).__name__)
"""


WITHIN = ", limits=ls.Limits(inflated_bytes=200 << 20)"


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        ("data = bomb(3 << 30)", WITHIN, "ArchiveLimitError"),
        ("data = bomb(300 << 20)", ", limits=ls.Limits(inflation_ratio=10)", "ArchiveLimitError"),
        ("import bz2; data = bz2.compress(bytes(1 << 20)) * 3000", WITHIN, "ArchiveLimitError"),
        ("import lzma; data = lzma.compress(bytes(1 << 20), preset=0) * 3000", WITHIN, "ArchiveLimitError"),
        ("import tests.hostile.test_layers as t; data = t.zstd(bytes(1 << 20)) * 3000", WITHIN, "ArchiveLimitError"),
        ("data = bomb(1 << 20)[:-4] + b'\\xff' * 4", "", "ArchiveError"),
        (
            "import tests.hostile.test_layers as t; data = t.header(size=b'%011o' % (100 << 30 >> 4)) + t.END",
            "",
            "ArchiveError",
        ),
        ("import tests.hostile.test_layers as t; data = t.sparse_claim(1 << 60)", "", "ArchiveLimitError"),
    ],
    ids=[
        "inflated bytes",
        "ratio",
        "bzip2",
        "xz",
        "zstd",
        "a trailer that lies",
        "100 GB in a kilobyte",
        "a sparse file of an exabyte",
    ],
)
def test_memory_stays_within_bounds(source: str, options: str, expected: str) -> None:
    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    code = BOMBS.format(source=source, options=options)
    done = subprocess.run(
        [sys.executable, "-c", code], preexec_fn=bounded, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout.strip(), done.stderr) == (expected, "")


def sparse_claim(size: int) -> bytes:
    """Return a tar whose only member is a sparse file that is nearly all hole."""
    records = b""
    for key, value in (("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", str(size))):
        record = f" {key}={value}\n".encode()
        length = len(record) + 2
        records += b"%d" % length + record if len(str(length)) == 2 else b"%d" % (length + 1) + record
    table = b"1\n0\n1\n".ljust(BLOCK, b"\0")
    return pax(records) + header(size=b"%011o" % (BLOCK + 1)) + table + b"x".ljust(BLOCK, b"\0") + END


def test_a_sparse_file_keeps_its_holes() -> None:
    layer = ls.Layer.from_tar(sparse_claim(1 << 40))
    assert layer.size == 1 << 40
    fs = ls.Overlay([layer])
    with fs.open("/f") as file:
        assert file.pread(3, 0) == b"x\0\0"
        assert file.pread(10, (1 << 40) - 3) == b"\0\0\0"
    with pytest.raises(MemoryError):
        fs.read_bytes("/f")


def test_where_real_tools_accept_the_tree_is_the_same() -> None:
    """An archive without its end mark, one after the mark, and a directory told by its slash."""
    assert (
        ls.Layer.from_tar(PLAIN.rstrip(b"\0").ljust(-(-len(PLAIN.rstrip(b"\0")) // BLOCK) * BLOCK, b"\0")).size == 701
    )
    followed = ls.Layer.from_tar(PLAIN + PLAIN)
    assert (len(followed), followed.diff_id) == (len(ls.Layer.from_tar(PLAIN)), ls.sha256(PLAIN + PLAIN))
    (entry,) = ls.Layer.from_tar(header(name=b"old/", typeflag=b"\0") + END)
    assert (entry.kind, entry.path) == ("directory", "old")
    assert len(ls.Layer.from_tar(END)) == 0


def test_the_tar_of_python_and_ours_agree_on_what_is_written() -> None:
    target = io.BytesIO()
    ls.View([ls.Layer.from_tar(PLAIN)]).write_tar(target)
    target.seek(0)
    with tarfile.open(fileobj=target) as archive:
        assert archive.getnames() == ["d", "d/f", "h", "s"]
        assert archive.getmember("h").linkname == "d/f"
