"""Known faults, planted one by one in a copy of the sources: each must be caught. `python -m tests.mutations`."""

from __future__ import annotations

import importlib.machinery
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[1]
PLACE = REPOSITORY / "target" / "mutations"
CORE = "rust/layersim/src"
SUITE = ("tests/kernel/test_stacks.py", "tests/kernel/test_fuzz.py")
COPIED = ("Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "rust", "python", "tests")
FAILED = re.compile(r"^(?:FAILED|ERROR) \S*?([^/\s]+::.*?)(?: - .*)?$", re.MULTILINE)


class Fault(NamedTuple):
    """One line that says something else."""

    name: str
    file: str
    old: str
    new: str


FAULTS = (
    Fault(
        "a directory over a mark is not opaque",
        f"{CORE}/overlay/create.rs",
        "dir.is_opaque = is_apart || matches!(site.dir.get(&name), Some(Node::Whiteout { .. }));",
        "dir.is_opaque = is_apart;",
    ),
    Fault(
        "an opaque directory shows what is below",
        f"{CORE}/overlay/resolve.rs",
        "let named = || below.and_then(Node::as_dir).filter(|_| !dir.is_opaque);",
        "let named = || below.and_then(Node::as_dir);",
    ),
    Fault(
        "a commit drops the opaque mark",
        f"{CORE}/overlay/freeze.rs",
        "frozen.is_opaque = dir.is_opaque;",
        "frozen.is_opaque = false;",
    ),
    Fault(
        "a removal leaves no mark",
        f"{CORE}/overlay/upper.rs",
        "let covers = self.covers(name);",
        "let covers = false;",
    ),
    Fault(
        "a removal leaves a mark where nothing is below",
        f"{CORE}/overlay/upper.rs",
        "let covers = self.covers(name);",
        "let covers = true;",
    ),
    Fault(
        "a directory moved into a merged one is not opaque",
        f"{CORE}/overlay/rename.rs",
        "let into_merged = to.pair.is_merged();",
        "let into_merged = false;",
    ),
    Fault(
        "a copied file keeps the number of its lower names",
        f"{CORE}/overlay/copy_up.rs",
        "let live = Live { origin: from, is_noted,",
        "let live = Live { origin: from, links: leaf.links, is_noted,",
    ),
    Fault(
        "a copied parent loses its mode and owner",
        f"{CORE}/overlay/upper.rs",
        "let metadata = below.as_ref().ok_or(Errno::ENOENT)?.metadata.clone();",
        "let metadata = below.as_ref().map(|_| Metadata::default()).ok_or(Errno::ENOENT)?;",
    ),
    Fault(
        "a file copied up loses its attributes",
        f"{CORE}/overlay/copy_up.rs",
        "let mut copy = metadata.clone();",
        "let mut copy = metadata.clone(); copy.xattrs = std::default::Default::default();",
    ),
    Fault(
        "a file that was open before the copy-up does not see it",
        f"{CORE}/overlay/handle.rs",
        "self.upper.as_ref()?.copied.get(path).copied()",
        "self.upper.as_ref()?.copied.get(path).copied().filter(|_| false)",
    ),
    Fault(
        "one link too many is followed",
        f"{CORE}/overlay/resolve.rs",
        "if self.links > LINKS_MAX {",
        "if self.links > LINKS_MAX + 1 {",
    ),
    Fault(
        "an append writes where the handle is",
        f"{CORE}/overlay/handle.rs",
        "let offset = if handle.access.appends { content.len() } else { offset };",
        "let offset = if handle.access.appends { handle.position } else { offset };",
    ),
    Fault(
        "hard links are counted once for each name",
        f"{CORE}/overlay/upper.rs",
        "Node::Leaf { leaf, .. } if seen.insert(*leaf) => {",
        "Node::Leaf { leaf, .. } if seen.insert(*leaf) || *leaf >= InodeId(0) => {",
    ),
    Fault(
        "a write keeps the capabilities",
        f"{CORE}/overlay/handle.rs",
        "live.metadata.xattrs.remove(CAPABILITY);",
        "let _ = CAPABILITY;",
    ),
)


def copy_sources(place: Path) -> None:
    """Copy what is built and run, new each time; the target directory beside it is kept."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy2(source, place / name)


def build(place: Path) -> None:
    """Build the copy as a debug build, into the copy's own package."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(PLACE / "target"), "PYO3_PYTHON": sys.executable}
    cargo = os.environ.get("CARGO", "cargo")
    subprocess.run([cargo, "build", "--quiet", "-p", "layersim-python"], cwd=place, env=environment, check=True)
    library = PLACE / "target" / "debug" / "lib_core.so"
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    shutil.copy2(library, place / "python" / "layersim" / f"_core{suffix}")


def first_failure(place: Path) -> str | None:
    """Run the suite on the copy until a test fails; return its name."""
    # In CI a missing oracle is a failure, which would catch every fault.
    environment = {**os.environ, "PYTHONPATH": str(place / "python"), "CI": "", "RUST_BACKTRACE": "0"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *SUITE]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    found = FAILED.search(done.stdout)
    return found[1] if found else f"pytest ended with {done.returncode}: {done.stdout[-300:]}"


def plant(fault: Fault, place: Path) -> None:
    """Put the fault in the place of what is right."""
    file = place / fault.file
    text = file.read_text()
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.name!r}: expected once in {fault.file}: {fault.old}")
    file.write_text(text.replace(fault.old, fault.new))


def main(names: list[str]) -> int:
    """Plant the faults that are named, or all, and print what caught each."""
    if os.geteuid() != 0:
        print("the tests that catch the faults mount overlays: run this as root", file=sys.stderr)
        return 2
    survivors = 0
    for fault in (fault for fault in FAULTS if not names or fault.name in names):
        place = PLACE / "source"
        copy_sources(place)
        plant(fault, place)
        build(place)
        caught = first_failure(place)
        survivors += caught is None
        print(f"{fault.name:<58} {caught or 'SURVIVED'}", flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
