"""The ``created_by`` texts of a history: what a builder writes down of each instruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.build.dockerfile.commands import DEFAULT_SHELL
from layersim.build.dockerfile.durations import print_duration
from layersim.build.dockerfile.golang import go_list, go_quotes, go_rune

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layersim.build.dockerfile.dialect import Dialect
    from layersim.build.dockerfile.instructions import Healthcheck


class CreatedBy:
    """Writes history entries as one builder does.

    All values are given expanded: as they are in the config, not as the Dockerfile has them.

    Parameters
    ----------
    dialect : Dialect
        Of which builder.
    shell : sequence of str
        The shell in force. The legacy builder puts it before everything; of a SHELL instruction it is the new one.

    Examples
    --------
    >>> from layersim.build.dockerfile import BUILDKIT20, LEGACY20, CreatedBy
    >>> CreatedBy(LEGACY20).env([("K1", "v1"), ("K2", "v 2")])
    '/bin/sh -c #(nop)  ENV K1=v1 K2=v 2'
    >>> CreatedBy(BUILDKIT20).expose(["80"], ["80/tcp"])
    'EXPOSE map[80/tcp:{}]'
    """

    def __init__(self, dialect: Dialect, shell: Sequence[str] = DEFAULT_SHELL) -> None:
        self._dialect = dialect
        self._is_legacy = dialect.builder == "legacy"
        self._nop = f"{' '.join(shell)} #(nop) " if self._is_legacy else ""

    def _metadata(self, text: str) -> str:
        return f"{self._nop} {text}" if self._is_legacy else text

    def env(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Return the text of an ENV."""
        return self._metadata(_joined("ENV", (f"{name}={value}" for name, value in pairs)))

    def label(self, pairs: Iterable[tuple[str, str]]) -> str:
        """Return the text of a LABEL, or of labels that were given as options."""
        return self._metadata(_joined("LABEL", (f"{name}={value}" for name, value in pairs)))

    def arg(self, pairs: Iterable[tuple[str, str | None]]) -> str:
        """Return the text of an ARG; the legacy builder's values are the defaults, BuildKit's those in force."""
        return self._metadata(_joined("ARG", (n if v is None else f"{n}={v}" for n, v in pairs)))

    def maintainer(self, author: str) -> str:
        """Return the text of a MAINTAINER."""
        return self._metadata(f"MAINTAINER {author}")

    def user(self, user: str) -> str:
        """Return the text of a USER."""
        return self._metadata(f"USER {user}")

    def stop_signal(self, signal: str) -> str:
        """Return the text of a STOPSIGNAL."""
        return self._metadata(f"STOPSIGNAL {signal}")

    def shell(self, words: Iterable[str]) -> str:
        """Return the text of a SHELL."""
        return self._metadata(f"SHELL {go_list(words)}")

    def volume(self, paths: Iterable[str]) -> str:
        """Return the text of a VOLUME."""
        return self._metadata(f"VOLUME {go_list(paths)}")

    def cmd(self, words: Iterable[str]) -> str:
        """Return the text of a CMD, the shell among its words."""
        return self._metadata(f"CMD {go_quotes(words)}")

    def entrypoint(self, words: Iterable[str]) -> str:
        """Return the text of an ENTRYPOINT, the shell among its words."""
        return self._metadata(f"ENTRYPOINT {go_quotes(words)}")

    def onbuild(self, trigger: str) -> str | None:
        """Return the text of an ONBUILD; BuildKit writes down none."""
        return self._metadata(f"ONBUILD {trigger}") if self._is_legacy else None

    def workdir(self, path: str) -> str:
        """Return the text of a WORKDIR, the whole path."""
        return f"{self._nop}WORKDIR {path}"

    def expose(self, words: Iterable[str], ports: Iterable[str]) -> str:
        """Return the text of an EXPOSE: of its words, or of the ports that they come to."""
        if self._is_legacy:
            return self._metadata(f"EXPOSE {' '.join(words)}")
        if self._dialect.is_old:
            return f"EXPOSE map{go_list(f'{port}:{{}}' for port in sorted(set(ports)))}"
        return f"EXPOSE {go_list(ports)}"

    def run(self, words: Iterable[str], args: Iterable[tuple[str, str | None]] | None = None) -> str:
        """Return the text of a RUN.

        Parameters
        ----------
        words : iterable of str
            Of the command, the shell among them.
        args : iterable of tuple or None
            The build's variables that the builder lists, in its order; None for none. The legacy builder counts also
            an empty list.

        Returns
        -------
        str
            The text.
        """
        listed = [f"{name}={value or ''}" for name, value in args or ()]
        if listed or (args is not None and self._is_legacy):
            listed.insert(0, f"|{len(listed)}")
        text = " ".join([*listed, *words])
        return text if self._is_legacy else f"RUN {text} # buildkit"

    def copy(
        self, keyword: str, sources: Sequence[str], dest: str, *, flags: Sequence[str] = (), digest: str = ""
    ) -> str:
        """Return the text of a COPY or ADD.

        Parameters
        ----------
        keyword : str
            ``COPY`` or ``ADD``.
        sources : sequence of str
            Its sources; heredocs last, each as ``<<`` and its name.
        dest : str
            The destination as written, variables replaced.
        flags : sequence of str
            Those that the builder writes down, as ``--chown=1:2``; see `copy_flags`.
        digest : str
            What the legacy builder calls the sources by: ``file:...``, ``dir:...`` or ``multi:...``.

        Returns
        -------
        str
            The text.
        """
        if self._is_legacy:
            after_flags = "" if self._dialect.is_old else " "
            before = f"{''.join(flags)}{after_flags}" if flags else ""
            return f"{self._nop}{keyword} {before}{digest} in {dest} "
        shown = () if self._dialect.is_old else flags
        return f"{' '.join([keyword, *shown, *sources, dest])} # buildkit"

    def healthcheck(self, check: Healthcheck) -> str:
        """Return the text of a HEALTHCHECK: the structure of a Go program, printed in several ways."""
        durations = [check.interval_ns, check.timeout_ns, check.start_period_ns, check.start_interval_ns]
        texts = [print_duration(duration_ns) for duration_ns in durations]
        kind = self._dialect.health_text
        if kind in ("named", "named_pointer"):
            names = ("Interval", "Timeout", "StartPeriod", "StartInterval")
            named = " ".join(f"{name}:{text}" for name, text in zip(names, texts, strict=True))
            pointer = "&" if kind == "named_pointer" else ""
            text = f"{pointer}{{Test:{go_list(check.test)} {named} Retries:{check.retries}}}"
        elif kind == "plain_start":
            text = f"&{{{go_list(check.test)} {' '.join(texts)} {check.retries}}}"
        else:
            shown = texts if kind == "quoted_start" else texts[:3]
            quoted = " ".join(f'"{text}"' for text in shown)
            text = f"&{{{go_quotes(check.test)} {quoted} {go_rune(check.retries)}}}"
        return self._metadata(f"HEALTHCHECK {text}")


def copy_flags(*, chown: str | None = None, chmod: str | None = None, parents: bool = False) -> tuple[str, ...]:
    """Return the flags of a COPY or ADD that a history may show, in the order in which it does."""
    shown = ("--parents",) if parents else ()
    named = tuple(f"--{name}={value}" for name, value in (("chown", chown), ("chmod", chmod)) if value)
    return (*shown, *named)


def _joined(keyword: str, words: Iterable[str]) -> str:
    return " ".join([keyword, *words])
