"""What the README and the tutorial show is what the commands print and Python answers."""

from __future__ import annotations

import doctest
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

import layersim as ls
from layersim.cli import main
from layersim.demo import write_archives

REPOSITORY = Path(__file__).parents[1]
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "docs" / "tutorial.md"]
SESSIONS = [*DOCUMENTS, *(REPOSITORY / "docs" / name for name in ("builds.md", "lookup.md"))]
NOW = 1_714_564_800 * 10**9
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Shown:
    """One command of a document and the output below it; a line ``...`` stands for any lines."""

    command: str
    output: str

    def matches(self, printed: str) -> bool:
        """Tell whether the output is this one, blanks at the ends of lines aside."""
        parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", _trimmed(self.output), flags=re.MULTILINE)]
        return re.fullmatch("(?:.*\n)*".join(parts), _trimmed(printed)) is not None


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def blocks(document: Path, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(document.read_text()) if kind == language]


def shown(document: Path) -> list[Shown]:
    """Return the commands of a document's console blocks."""
    found = []
    for block in blocks(document, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Shown(command, output))
    return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the example's archives, where the documents' commands are typed."""
    write_archives(tmp_path, NOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_commands_print_what_the_document_shows(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands = shown(document)
    assert len(commands) >= 4
    for step in commands:
        program, *words = shlex.split(step.command)
        assert program == "layersim"
        assert main(words, clock=lambda: NOW) == 0
        printed = capsys.readouterr().out
        assert step.matches(printed), f"$ {step.command}\n{printed}"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("document", SESSIONS, ids=lambda document: document.stem)
def test_python_answers_what_the_document_shows(document: Path) -> None:
    session = "".join(blocks(document, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, document.name, str(document), 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert outcome.attempted >= 4
    assert "".join(report) == ""


@pytest.mark.parametrize(
    "document", sorted([*DOCUMENTS, *(REPOSITORY / "docs").rglob("*.md")]), ids=lambda path: path.stem
)
def test_links_lead_somewhere(document: Path) -> None:
    targets = [document.parent / link for link in LINK.findall(document.read_text())]
    assert [str(target) for target in targets if not target.exists()] == []


def test_the_readme_names_targets_that_exist() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks(REPOSITORY / "README.md", "sh"))))
    assert {"setup", "demo", "test", "check"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


@pytest.mark.parametrize(
    ("output", "printed", "expected"),
    [
        ("a\nb\n", "a  \nb\n", True),
        ("a\n...\nc\n", "a\nb\nb\nc\n", True),
        ("...\nc\n", "a\nc\n", True),
        ("a\n", "a\nb\n", False),
        ("a.c\n", "abc\n", False),
        ("a\n...\n", "b\nc\n", False),
    ],
)
def test_the_comparison_can_fail(output: str, printed: str, *, expected: bool) -> None:
    assert Shown("layersim", output).matches(printed) is expected


@pytest.mark.parametrize("name", [name for name in ls.__all__ if isinstance(getattr(ls, name), type)])
def test_every_public_class_stands_with_its_word_in_the_concepts(name: str) -> None:
    if issubclass(getattr(ls, name), ls.LayerSimError):
        return  # the module of the errors tells of them
    assert re.search(rf"`{name}\b", (REPOSITORY / "docs" / "concepts.md").read_text())


def test_a_concept_is_defined_once() -> None:
    words = re.findall(
        r"^\*\*([^*]+)\*\*|\. \*\*([^*]+)\*\*:", (REPOSITORY / "docs" / "concepts.md").read_text(), re.MULTILINE
    )
    defined = [first or second for first, second in words]
    assert len(defined) > 40
    assert len(defined) == len(set(defined))
