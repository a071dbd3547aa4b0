"""One object, many threads: no write is lost, no file is half of another, nobody waits for a walk of a tree."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import ContainerNotFoundError, ImageNotFoundError, PathExistsError, PathNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

THREADS = 4
LAYER = ls.Layer.from_changes([ls.mkdir("/d"), ls.write("/d/f", b"lower"), ls.write("/log", b"")])


def together(work: Callable[[int], object], threads: int = THREADS) -> None:
    """Start work in several threads at one moment; what one of them raises is raised here."""
    barrier = threading.Barrier(threads, timeout=60)

    def run(number: int) -> None:
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(threads)))


def beside(once: Callable[[], object], again: Callable[[], object]) -> None:
    """Do one thing once, and another one in a second thread again and again until that is done."""
    is_done = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            try:
                once()
            finally:
                is_done.set()
        while not is_done.is_set():
            again()

    together(work, threads=2)


def engine() -> ls.Engine:
    made = ls.Engine(clock=lambda: 0)
    made.add_image([LAYER], tag="a:1")
    return made


@pytest.fixture
def switching() -> Iterator[None]:
    """The interpreter goes from thread to thread as often as it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def staying() -> Iterator[None]:
    """The interpreter stays with a thread until that lets go of it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(100)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("switching")
class TestEngines:
    def test_a_container_has_one_file_system_however_many_ask_first(self) -> None:
        for _ in range(50):
            container = engine().create("a:1")

            def write(number: int, container: ls.Container = container) -> None:
                container.fs.write_bytes(f"/{number}", b"x")

            together(write)
            assert [change.path for change in container.changes()] == [f"/{number}" for number in range(THREADS)]

    def test_asking_beside_making(self) -> None:
        host = engine()

        def make() -> None:
            for turn in range(800):
                host.add_image([LAYER], tag=f"i{turn}:1", config={"User": str(turn)})
                host.create("a:1")

        def ask() -> None:
            with pytest.raises(ImageNotFoundError):
                host.get_image("fffffffffff")
            with pytest.raises(ContainerNotFoundError):
                host.get_container("fffffffffff")

        beside(make, ask)
        assert (len(host.images()), len(host.containers(all=True))) == (801, 800)

    def test_reports_beside_making_and_removing(self) -> None:
        host = engine()
        for _ in range(1000):
            host.run("a:1")

        def make() -> None:
            for turn in range(200):
                host.add_image([LAYER], tag=f"i{turn}:1", config={"User": str(turn)})
                host.create(f"i{turn}:1").remove()
                host.run("a:1")

        def report() -> None:
            assert {row.id for row in host.images()} <= {row.id for row in host.images(all=True)}
            df = host.df(verbose=True)
            assert df.layers_size == LAYER.size
            assert str(df)
            assert {row.state for row in host.containers()} == {"running"}

        beside(make, report)
        assert (len(host.images()), len(host.containers())) == (201, 1200)

    def test_every_commit_is_an_image_and_every_layer_is_held_once(self) -> None:
        host = engine()

        def work(number: int) -> None:
            for turn in range(20):
                container = host.run("a:1")
                container.fs.write_bytes("/n", b"%d %d" % (number, turn))
                container.commit(tag=f"c{number}:{turn}")

        together(work)
        assert len(host.images()) == THREADS * 20 + 1
        df = host.df(verbose=True)
        assert df.layers_size == LAYER.size + sum(image.unique_size for image in df.images)

    def test_one_tag_is_of_one_image(self) -> None:
        host = engine()

        def take(number: int) -> None:
            for _ in range(20):
                host.add_image([LAYER], tag="t:1", config={"User": str(number)})

        together(take)
        assert [row.tags for row in host.images() if "t:1" in row.tags] == [("t:1",)]


class TestFiles:
    def test_a_target_of_two_writers_is_one_of_the_two(self, tmp_path: Path) -> None:
        layers = [ls.Layer.from_changes([ls.write("/f", bytes(size))]) for size in (20_000_000, 5_000_000)]

        def write(number: int) -> None:
            layers[number].write_tar(tmp_path / "layer.tar")

        for _ in range(5):
            together(write, threads=2)
            assert ls.Layer.from_tar(tmp_path / "layer.tar") in layers
        assert [path.name for path in tmp_path.iterdir()] == ["layer.tar"]

    def test_an_archive_of_two_writers_is_one_of_the_two(self, tmp_path: Path) -> None:
        hosts = [ls.Engine(clock=lambda: 0) for _ in range(2)]
        images = [
            host.import_tar(ls.Layer.from_changes([ls.write("/f", bytes(5_000_000 * (at + 1)))]).tar_bytes(), tag="a:1")
            for at, host in enumerate(hosts)
        ]

        def save(number: int) -> None:
            hosts[number].save("a:1", tmp_path / "a.tar")

        for _ in range(5):
            together(save, threads=2)
            (loaded,) = ls.Engine().load(tmp_path / "a.tar")
            assert loaded.id in {image.id for image in images}
        assert [path.name for path in tmp_path.iterdir()] == ["a.tar"]


@pytest.mark.usefixtures("switching")
class TestTrees:
    def test_one_view_answers_all_alike(self) -> None:
        layers = [LAYER, ls.Layer.from_changes([ls.write(f"/d/{number}", b"x") for number in range(300)])]
        tars = [layer.tar_bytes() for layer in layers]
        paths = ["/", "/d", "/d/f", "/none", *(f"/d/{number}" for number in range(300))]

        def seen(view: ls.View) -> list[object]:
            return [(path in view, view.lstat(path).st_mode if path in view else None) for path in paths] + [
                list(view.lookup(paths).size),
                view.listdir("/d"),
            ]

        expected = seen(ls.View(layers))
        for _ in range(10):
            view = ls.View(layers)
            found: list[list[object]] = [[] for _ in range(THREADS)]

            def ask(number: int, view: ls.View = view, found: list[list[object]] = found) -> None:
                found[number] = seen(view)

            together(ask)
            assert found == [expected] * THREADS
        assert [layer.tar_bytes() for layer in layers] == tars

    def test_what_is_appended_to_one_file_is_all_there(self) -> None:
        fs = ls.Overlay([LAYER])

        def append(number: int) -> None:
            with fs.open("/log", os.O_WRONLY | os.O_APPEND) as file:
                for turn in range(300):
                    file.write(b"%d:%03d\n" % (number, turn))

        together(append)
        records = fs.read_bytes("/log").splitlines()
        for number in range(THREADS):
            own = [record for record in records if record.startswith(b"%d:" % number)]
            assert own == [b"%d:%03d" % (number, turn) for turn in range(300)]
        assert len(records) == THREADS * 300

    def test_who_writes_at_places_of_their_own_loses_nothing_and_no_reader_sees_half(self) -> None:
        fs, size, turns = ls.Overlay([LAYER]), 10_000, 50

        def work(number: int) -> None:
            with fs.open("/d/f", os.O_RDWR) as file:
                for turn in range(turns):
                    file.pwrite(bytes([65 + turn % 26]) * size, (number + 1) * size)
                    for other in range(THREADS):
                        assert len(set(file.pread(size, (other + 1) * size))) <= 1

        together(work)
        last = bytes([65 + (turns - 1) % 26]) * size
        assert fs.read_bytes("/d/f") == b"lower" + bytes(size - 5) + last * THREADS
        assert LAYER.diff_id == ls.sha256(LAYER.tar_bytes())

    def test_of_several_who_make_one_name_one_does(self) -> None:
        fs, made, moved = ls.Overlay([LAYER]), [0] * THREADS, [0] * THREADS

        def race(number: int) -> None:
            for turn in range(200):
                try:
                    fs.mkdir(f"/d/{turn}")
                    made[number] += 1
                except PathExistsError:
                    pass
                try:
                    fs.rename(f"/d/{turn}", f"/{number}-{turn}")
                    moved[number] += 1
                except PathNotFoundError:
                    pass

        together(race)
        assert sum(made) == sum(moved)
        assert len(fs.listdir("/")) == 2 + sum(moved)
        assert LAYER.diff_id == ls.sha256(LAYER.tar_bytes())

    def test_many_write_one_overlay_and_its_layers_stay(self) -> None:
        fs, tar = ls.Overlay([LAYER]), LAYER.tar_bytes()

        def write(number: int) -> None:
            fs.mkdir(f"/{number}")
            for turn in range(100):
                fs.write_bytes(f"/{number}/{turn}", bytes(turn))
                fs.rename(f"/{number}/{turn}", f"/{number}/f{turn}")
                fs.write_bytes("/d/f", b"%d" % number)

        together(write)
        for number in range(THREADS):
            assert len(fs.listdir(f"/{number}")) == 100
        assert fs.size_rw == THREADS * sum(range(100)) + 1
        assert (LAYER.tar_bytes(), fs.lower.read_bytes("/d/f")) == (tar, b"lower")

    def test_a_fork_is_a_moment(self) -> None:
        fs = ls.Overlay([LAYER])

        def work(number: int) -> None:
            for turn in range(200):
                if number == 0:
                    fs.write_bytes(f"/d/{turn:03}", b"x")
                else:
                    names = [name for name in fs.fork().listdir("/d") if name != "f"]
                    assert names == [f"{turn:03}" for turn in range(len(names))]

        together(work, threads=2)


def many(word: str) -> list[ls.Edit]:
    """Return the edits of a tree that takes a while; each word has another one, which nobody has walked yet."""
    return [
        edit
        for at in range(100)
        for edit in (ls.mkdir(f"/{word}{at}"), *(ls.write(f"/{word}{at}/{name}", b"") for name in range(1000)))
    ]


def big(word: str) -> ls.Layer:
    return ls.Layer.from_changes(many(word))


# What is made ready, and then the call that takes long.
LONG: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "stat": (lambda: ls.View([big("s")]), lambda view: view.stat("/")),
    "lstat": (lambda: ls.View([big("l")]), lambda view: view.lstat("/")),
    "in": (lambda: ls.View([big("i")]), lambda view: "/none" in view),
    "lookup": (lambda: ls.View([big("p")]), lambda view: view.lookup(["/none"])),
    "write_tar": (lambda: ls.View([big("w")]), lambda view: view.write_tar(io.BytesIO())),
    "tar_bytes": (lambda: big("t"), lambda layer: layer.tar_bytes()),
    "from_changes": (lambda: many("c"), ls.Layer.from_changes),
    "from_tar": (lambda: big("f").tar_bytes(), ls.Layer.from_tar),
    "import_tar": (lambda: big("f").tar_bytes(), ls.Engine().import_tar),
    "sha256": (lambda: bytes(100_000_000), ls.sha256),
}


@pytest.mark.usefixtures("staying")
@pytest.mark.parametrize("name", LONG)
def test_others_go_on_while_one_waits_for_the_core(name: str) -> None:
    """Without `py.detach` the other thread would not take one step, for nobody takes the interpreter away."""
    prepare, call = LONG[name]
    prepared, steps, is_over = prepare(), 0, False

    def go_on() -> None:
        nonlocal steps
        while not is_over:
            steps += 1
            time.sleep(0.0001)

    other = threading.Thread(target=go_on)
    other.start()
    try:
        before = steps
        call(prepared)
        taken = steps - before
    finally:
        is_over = True
        other.join()
    assert taken >= 3
