"""Small Dockerfiles, contexts and edits, drawn from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

import layersim as ls

RUNS = ls.runs(
    {
        "install": ls.effect(files={"node_modules": (70, 7_000)}, uses=["package.json"], seconds=30),
        "compile": ls.effect(writes={"dist/main.js": 900, "dist/a/map": 50}, uses=["src"], seconds=5),
        "fetch": ls.effect(writes={"/opt/big": "3MB", "/var/cache/x": 4000}, seconds=7.5),
        "clean": ls.effect(removes=["/var/cache/*", "**/*.tmp"], seconds=0.5),
        "chmod": ls.effect(modes={"src/**": 0o755}, seconds=0.25),
        "chown": ls.effect(owners={"/opt/*": 1000}),
        "stamp": ls.effect(writes={"/stamp": b"always the same\n"}, uses=["package.json"]),
        "nothing": ls.effect(),
        "link": ls.effect(symlinks={"/current": "/app"}, mkdirs=["/srv/data"]),
    }
)
COMMANDS = ("install", "compile", "fetch", "clean", "chmod", "chown", "stamp", "nothing", "link")
FILES = (
    "package.json",
    "package-lock.json",
    "README.md",
    "src/a.js",
    "src/b.js",
    "src/deep/c.js",
    "docs/x.md",
    "notes.tmp",
    "sub/package.json",
)
COPIES = (
    "COPY . .",
    "COPY package.json ./",
    "COPY package*.json ./",
    "COPY src src",
    "COPY src/ /app/src/",
    "COPY docs /usr/docs",
    "COPY README.md /opt",
    "COPY README.md /notes",
    "COPY --chown=5:6 src/*.js /js/",
    "COPY *.tmp /tmps/",
    "ADD package.json README.md /both/",
    "COPY src/a.js src/b.js ./",
)
OTHERS = (
    "WORKDIR /app",
    "WORKDIR sub",
    "WORKDIR /",
    "ENV A=1 B=$A",
    "ENV A=2",
    "ARG X=1",
    "ARG Y",
    "LABEL l=1",
    "USER 7",
    "USER root",
    "EXPOSE 80",
    'CMD ["a"]',
    'ENTRYPOINT ["e"]',
    "VOLUME /var/cache",
    'SHELL ["/bin/sh", "-ec"]',
    "STOPSIGNAL 9",
)


@dataclass(frozen=True)
class Drawn:
    """One case."""

    dockerfile: str
    files: dict[str, bytes]
    edits: list[dict[str, bytes | None]]


def draw(seed: int) -> Drawn:
    """Return a case; two runs of a seed are the same."""
    dice = random.Random(seed)
    files = {path: content(dice) for path in FILES if dice.random() < 0.9} | {"package.json": b"{}"}
    if dice.random() < 0.4:
        files[".dockerignore"] = dice.choice([b"docs\n", b"*.md\nsub\n", b"**/*.md\n!README.md\n"])
    return Drawn(dockerfile(dice), files, [edit(dice) for _ in range(8)])


def content(dice: random.Random) -> bytes:
    """Return one of few contents, so that edits go back to old ones."""
    return bytes([dice.randrange(3)]) * dice.choice([10, 20, 400])


def edit(dice: random.Random) -> dict[str, bytes | None]:
    """Return an edit of up to three files."""
    paths = dice.sample(FILES, dice.choice([0, 1, 1, 2, 3]))
    changed = {path: None if dice.random() < 0.1 else content(dice) for path in paths}
    if dice.random() < 0.1:
        changed[".dockerignore"] = dice.choice([b"docs\n", b"src/b.js\n", None])
    return changed


def dockerfile(dice: random.Random) -> str:
    """Return the text of one to three stages."""
    names: list[str] = []
    lines: list[str] = []
    for number in range(dice.choice([1, 1, 2, 3])):
        base = dice.choice([*names, "base", "base", "base", "scratch"])
        lines.append(f"FROM {base} AS s{number}")
        lines += ["WORKDIR /app"] if dice.random() < 0.8 else []
        lines += [dice.choice(("COPY . .", "COPY package.json ./\nCOPY src src"))] if dice.random() < 0.7 else []
        lines += [instruction(dice, names) for _ in range(dice.randrange(1, 7))]
        names.append(f"s{number}")
    return "\n".join(lines) + "\n"


def instruction(dice: random.Random, names: list[str]) -> str:
    """Return one line."""
    kind = dice.random()
    if kind < 0.35:
        return dice.choice(COPIES)
    if kind < 0.65:
        return f"RUN {dice.choice(COMMANDS)}"
    if kind < 0.75 and names:
        stage = dice.choice(names)
        return f"COPY --from={stage} " + dice.choice(["/app /from", "/app/dist /d/", "/opt/. /opt/", "/stamp /"])
    return dice.choice(OTHERS)
