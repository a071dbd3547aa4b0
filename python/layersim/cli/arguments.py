"""The words that the command line understands."""

from __future__ import annotations

import sys
from argparse import Action, ArgumentParser, ArgumentTypeError, BooleanOptionalAction, RawDescriptionHelpFormatter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from layersim.cli import archives, builds, files, story, tables
from layersim.cli.builds import Builder
from layersim.cli.formats import FORMATS
from layersim.layout import Compression, Layout, Platform
from layersim.profiles import PROFILE_NAMES

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction
    from collections.abc import Callable, Sequence

_DESCRIPTION = """\
Look into the images that `docker save` or an OCI tool wrote: what they are made of, what they take,
what they share. No daemon, no registry, no root.
"""
_WORDS = """\
words:
  ARCHIVE        a docker-archive or OCI layout: a file or a directory, compressed or not;
                 or, before all others, a saved engine, which has its own profile
  IMAGE          an ARCHIVE that holds one image; one image of an archive as ARCHIVE#REF;
                 or a REF alone, of the archives given with -f (for history, also before it)
  REF            a tag, an image id or the beginning of one

exit status: 0 it worked, 1 an input failed, 2 the words were not understood, 130 interrupted
"""
_EFFECTS = "what RUN commands are declared to do: JSON or TOML, a pattern of words and its effect"
_BASES = "load base images from it; a saved engine too, which stays as it is"


def parse(argv: Sequence[str]) -> Namespace:
    """Return the command that words mean; its function is in ``run``.

    Raises
    ------
    SystemExit
        With 2 when they mean none, with 0 after printing help or the version.
    """
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    # `convert IN OUT --layout oci REF`: words after an option, where any number of words may come.
    if any(word.startswith("-") for word in rest) or (rest and "refs" not in arguments):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.refs += rest
    return arguments


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="layersim", description=_DESCRIPTION, epilog=_WORDS, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_tables(commands)
    _add_files(commands)
    _add_archives(commands)
    _add_build(commands)
    _add_suggest(commands)
    _add_demo(commands)
    return parser


class _Version(Action):
    """Asks for the installed version only when it is wanted."""

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"layersim {version('layersim')}\n")
        parser.exit()


def _add_tables(commands: _SubParsersAction[ArgumentParser]) -> None:
    history = _command(
        commands, "history", tables.history, "show the steps an image was made of, newest first", FORMATS
    )
    history.add_argument("words", nargs="+", metavar="IMAGE", help="all images of an ARCHIVE, or the ones named")
    history.add_argument("--human", action=BooleanOptionalAction, default=True, help="sizes and ages for people")
    _add_truncation(history)
    images = _command(commands, "images", tables.images, "list images with their logical sizes", FORMATS)
    images.add_argument("words", nargs="*", metavar="ARCHIVE", help="load it, as -f does")
    images.add_argument("-a", "--all", action="store_true", help="list intermediate images too")
    _add_truncation(images)
    ps = _command(commands, "ps", tables.ps, "list containers; an archive has none", FORMATS)
    ps.add_argument("words", nargs="*", metavar="ARCHIVE", help="load it, as -f does")
    ps.add_argument("-a", "--all", action="store_true", help="list containers that do not run too")
    ps.add_argument("-s", "--size", action="store_true", help="show what each has written, and that with its image")
    _add_truncation(ps)
    df = _command(commands, "df", tables.df, "show what the disk holds, as `docker system df` does", FORMATS)
    df.add_argument("words", nargs="*", metavar="ARCHIVE", help="load it, as -f does")
    df.add_argument("-v", "--verbose", action="store_true", help="each image, with what it shares and what only it has")


def _add_truncation(command: ArgumentParser) -> None:
    command.add_argument("--no-trunc", action="store_true", help="show ids and texts in full")
    command.add_argument("-q", "--quiet", action="store_true", help="show ids only")


def _add_files(commands: _SubParsersAction[ArgumentParser]) -> None:
    ls = _command(commands, "ls", files.ls, "list a directory of an image", FORMATS)
    ls.add_argument("image", metavar="IMAGE")
    ls.add_argument("path", nargs="?", default="/", metavar="PATH", help="a path in the image (default: /)")
    ls.add_argument("-l", "--long", action="store_true", help="mode, owner, size, time, and the layer it comes from")
    cat = _command(commands, "cat", files.cat, "write a file of an image to standard output")
    cat.add_argument("image", metavar="IMAGE")
    cat.add_argument("path", metavar="PATH")
    purpose = "show what differs between two images: A added, C changed, D deleted"
    diff = _command(commands, "diff", files.diff, purpose, FORMATS)
    diff.add_argument("before", metavar="A")
    diff.add_argument("after", metavar="B")
    meaning = "A and B are layers: tar files, or diff ids (or their beginnings) of the archives"
    diff.add_argument("--layers", action="store_true", help=meaning)


def _add_archives(commands: _SubParsersAction[ArgumentParser]) -> None:
    convert = _plain_command(commands, "convert", archives.convert, "write the images of an archive in another layout")
    _add_formats(convert)
    _add_profile(convert)
    convert.add_argument("archive", metavar="IN", help="an ARCHIVE")
    target = "a file, or a directory for an OCI layout: one that is there, or a name that ends in /"
    convert.add_argument("target", metavar="OUT", help=target)
    convert.add_argument("refs", nargs="*", metavar="REF", help="the images to write (default: all)")
    layouts = "docker save of 20.10, of 25 and newer, an OCI layout as a tar or as a directory"
    convert.add_argument("--layout", choices=get_args(Layout), help=layouts)
    convert.add_argument("--compression", type=_compression, metavar="{gzip,zstd,none}", help="of the layers")
    convert.add_argument("--level", type=int, metavar="N", help="of the compression")
    convert.add_argument("--platform", type=_platform, metavar="P", help="such as linux/arm64 or linux/arm/v7")
    check = _plain_command(commands, "check", archives.check, "compute every hash, size, reference and count again")
    _add_formats(check, FORMATS)
    check.add_argument("checked", nargs="+", metavar="ARCHIVE", help="or a saved engine")


def _add_build(commands: _SubParsersAction[ArgumentParser]) -> None:
    build = _plain_command(commands, "build", builds.build, "build an image from a Dockerfile, as `docker build` does")
    _add_formats(build, FORMATS)
    _add_source(build, "a directory, a tar of one, or - for standard input: a tar, or a Dockerfile alone")
    build.add_argument("-t", "--tag", dest="tags", action="append", default=[], metavar="NAME", help="what to call it")
    build.add_argument("--target", metavar="STAGE", help="the stage to build (default: the last)")
    build.add_argument("--label", dest="labels", action="append", default=[], metavar="K=V", help="give it a label")
    meaning = "for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE"
    build.add_argument("--secret", dest="secrets", action="append", default=[], metavar="WORDS", help=meaning)
    build.add_argument("--no-cache", action="store_true", help="do every step again")
    meaning = "an image of the engine whose steps may be taken over"
    build.add_argument("--cache-from", action="append", default=[], metavar="IMAGE", help=meaning)
    meaning = "what an ADD finds at a URL"
    build.add_argument(
        "--download", dest="downloads", type=_download, action="append", default=[], metavar="URL=FILE", help=meaning
    )
    build.add_argument("--explain", action="store_true", help="say of each step why it ran, or why not")
    ways = build.add_mutually_exclusive_group()
    ways.add_argument("--sandbox", action="store_true", help="execute RUN commands here, without a network (Linux)")
    ways.add_argument("--effects", metavar="FILE", help=_EFFECTS)
    build.add_argument("--from", dest="archives", action="append", default=[], metavar="ARCHIVE", help=_BASES)
    build.add_argument("--state", metavar="SAVED", help="a saved engine to build in and to save again; made if absent")
    build.add_argument("-o", "--output", metavar="OUT", help="save the image there, as `docker save` does")


def _add_suggest(commands: _SubParsersAction[ArgumentParser]) -> None:
    purpose = "look for Dockerfiles that make the same image and cost less over a series of edits"
    suggest = _plain_command(commands, "suggest", builds.suggest, purpose)
    _add_formats(suggest, FORMATS)
    _add_source(suggest, "a directory, or a tar of one")
    suggest.add_argument("--effects", metavar="FILE", help=_EFFECTS)
    edits = "a git work tree, whose commits are the edits, or a JSON file: a list of lists of paths (default: CONTEXT)"
    suggest.add_argument("--changes", metavar="GITDIR|FILE", help=edits)
    suggest.add_argument("--limit", type=int, metavar="N", help="no more edits than this; of commits the newest")
    suggest.add_argument("--best", action="store_true", help="all that go together, as one")
    suggest.add_argument("--diff", action="store_true", help="show what changes in the files")
    bases = suggest.add_mutually_exclusive_group()
    bases.add_argument("--from", dest="archives", action="append", default=[], metavar="ARCHIVE", help=_BASES)
    bases.add_argument(
        "--base", dest="bases", action="append", default=[], metavar="IMAGE=SIZE", help="a base by its size alone"
    )


def _add_source(command: ArgumentParser, context: str) -> None:
    """Add what both kinds of building start from."""
    command.add_argument("context", metavar="CONTEXT", help=context)
    meaning = "the Dockerfile, from here or in CONTEXT (default: CONTEXT/Dockerfile)"
    command.add_argument("-f", "--file", dest="dockerfile", metavar="DOCKERFILE", help=meaning)
    meaning = "a value of an ARG; without =V that of the environment"
    command.add_argument("--build-arg", dest="build_args", action="append", default=[], metavar="K=V", help=meaning)
    builders = get_args(Builder)
    command.add_argument("--builder", choices=builders, default=builders[0], help="whose rules count (%(default)s)")
    _add_profile(command)


def _add_demo(commands: _SubParsersAction[ArgumentParser]) -> None:
    purpose = "tell the story of layers, on an embedded example or on your archives"
    demo = _command(commands, "demo", story.demo, purpose)
    demo.add_argument("words", nargs="*", metavar="ARCHIVE", help="tell of its images")
    picture = Path("demo-out/saving.png")
    demo.add_argument(
        "--picture", type=Path, default=picture, metavar="FILE", help="where to draw the saving (%(default)s)"
    )
    demo.add_argument("--save", type=Path, metavar="DIRECTORY", help="keep the example's archives there")


def _command(
    commands: _SubParsersAction[ArgumentParser],
    name: str,
    run: Callable[..., None],
    purpose: str,
    formats: Sequence[str] = (),
) -> ArgumentParser:
    """Add a command that asks an engine."""
    command = _plain_command(commands, name, run, purpose)
    command.add_argument(
        "-f", "--file", dest="archives", action="append", default=[], metavar="ARCHIVE", help="load it first"
    )
    _add_formats(command, formats)
    _add_profile(command)
    return command


def _plain_command(
    commands: _SubParsersAction[ArgumentParser], name: str, run: Callable[..., int | None], purpose: str
) -> ArgumentParser:
    command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
    command.set_defaults(run=run)
    return command


def _add_formats(command: ArgumentParser, formats: Sequence[str] = ()) -> None:
    one = command.add_mutually_exclusive_group()
    meaning = "JSON: ids in full, sizes in bytes, times as ISO 8601"
    one.add_argument("--json", dest="format", action="store_const", const="json", default="table", help=meaning)
    if formats:
        meaning = "what to write: text as docker's (default), JSON as with --json, csv, or an Arrow stream"
        one.add_argument("--format", choices=formats, default="table", help=meaning)


def _add_profile(command: ArgumentParser) -> None:
    command.add_argument(
        "--profile", choices=PROFILE_NAMES, help=f"the engine to be like ({PROFILE_NAMES[0]}, or what a saved one is)"
    )


def _compression(name: str) -> str | None:
    if name not in {"none", *get_args(Compression)}:
        raise ArgumentTypeError(f"expected gzip, zstd or none, got {name!r}")
    return None if name == "none" else name


def _download(text: str) -> tuple[str, str]:
    url, _, path = text.rpartition("=")
    if not url or not path:
        raise ArgumentTypeError(f"expected URL=FILE, got {text!r}")
    return url, path


def _platform(text: str) -> str:
    try:
        return str(Platform.parse(text))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
