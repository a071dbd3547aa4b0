"""Every exception that layersim raises, drawn as one tree.

::

    LayerSimError
      DigestFormatError (ValueError)       DigestMismatchError (ValueError)
      ArchiveError (ValueError)            ArchiveLimitError
      InvalidPathError (ValueError)        InvalidReferenceError (ValueError)
      PathNotFoundError (FileNotFoundError)        PathExistsError (FileExistsError)
      PathNotDirectoryError (NotADirectoryError)   PathIsDirectoryError (IsADirectoryError)
      DirectoryNotEmptyError (OSError)             ImageInUseError
      ImageNotFoundError (LookupError)     ContainerNotFoundError (LookupError)
      LayerNotFoundError (LookupError)     NameInUseError
      ChainTooDeepError                    ContainerStateError
      VolumeNotFoundError (LookupError)    VolumeInUseError
      StateError (ValueError)              StateVersionError
      StoreLockedError
      ContentMissingError                  ValidationError (ValueError)
      DockerfileError (ValueError)
      BuildError                           RunError

The class in brackets is the second base, so that code which knows only the
built-in exceptions catches ours too. Failing file operations carry the
kernel's ``errno``; those without a class of their own are plain ``OSError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class LayerSimError(Exception):
    """The base of all errors of this library."""


class DigestFormatError(LayerSimError, ValueError):
    """A text is not ``sha256:`` followed by 64 lower-case hex digits."""


class DigestMismatchError(LayerSimError, ValueError):
    """Bytes do not have the digest that was promised for them.

    Attributes
    ----------
    expected, actual : str
        Both digests, ``sha256:<hex>``.
    """

    def __init__(self, message: str, expected: str = "", actual: str = "") -> None:
        super().__init__(message, expected, actual)
        self.expected = expected
        self.actual = actual

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class ArchiveError(LayerSimError, ValueError):
    """An archive is malformed or holds what no engine accepts.

    Attributes
    ----------
    offset : int or None
        Where in the uncompressed archive the trouble was found, in bytes.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message, offset)
        self.offset = offset

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class ArchiveLimitError(ArchiveError):
    """An archive asks for more than the limits allow.

    Attributes
    ----------
    limit : int or None
        The bound that was exceeded, in bytes or as a count (the message says which).
    """

    def __init__(self, message: str, offset: int | None = None, limit: int | None = None) -> None:
        super().__init__(message, offset)
        self.args = (message, offset, limit)
        self.limit = limit


class InvalidPathError(LayerSimError, ValueError):
    """A path cannot name anything: it holds a NUL byte or is not text or bytes."""


class InvalidReferenceError(LayerSimError, ValueError):
    """A text is neither a tag nor an image id nor a prefix of one."""


class PathNotFoundError(LayerSimError, FileNotFoundError):
    """Nothing is visible under this path (``ENOENT``)."""


class PathExistsError(LayerSimError, FileExistsError):
    """Something is visible under this path already (``EEXIST``)."""


class PathNotDirectoryError(LayerSimError, NotADirectoryError):
    """A directory was needed, the path names something else (``ENOTDIR``)."""


class PathIsDirectoryError(LayerSimError, IsADirectoryError):
    """A file was needed, the path names a directory (``EISDIR``)."""


class DirectoryNotEmptyError(LayerSimError, OSError):
    """A directory still has visible entries (``ENOTEMPTY``)."""


class ImageNotFoundError(LayerSimError, LookupError):
    """No image answers to this reference."""


class LayerNotFoundError(LayerSimError, LookupError):
    """No layer is kept under a chain id."""


class ContainerNotFoundError(LayerSimError, LookupError):
    """No container answers to this name or id."""


class ImageInUseError(LayerSimError):
    """An image cannot be removed; the message is the engine's own sentence."""


class ChainTooDeepError(LayerSimError):
    """A chain of layers is deeper than the engine allows.

    Attributes
    ----------
    limit : int
        The largest number of layers of one image.
    """

    def __init__(self, message: str, limit: int = 0) -> None:
        super().__init__(message, limit)
        self.limit = limit

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class ContainerStateError(LayerSimError):
    """A container is not in the state that an operation needs.

    Attributes
    ----------
    state, wanted : str
        What the container is, and what it would have to be.
    """

    def __init__(self, message: str, state: str = "", wanted: str = "") -> None:
        super().__init__(message, state, wanted)
        self.state = state
        self.wanted = wanted

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class NameInUseError(LayerSimError):
    """Another container has this name; the message is the engine's own sentence."""


class VolumeNotFoundError(LayerSimError, LookupError):
    """No volume has this name."""


class VolumeInUseError(LayerSimError):
    """Containers mount a volume; the message is the engine's own sentence."""


class ContentMissingError(LayerSimError):
    """A layer known by digest and size alone was asked for its entries or bytes, or a saved one whose file is gone."""


class ValidationError(LayerSimError, ValueError):
    """A config, manifest or layout breaks its specification.

    Attributes
    ----------
    breaches : tuple of str
        Every breach that was found, not the first alone.
    """

    def __init__(self, message: str, breaches: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(breaches))
        self.breaches = tuple(breaches)

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class BuildError(LayerSimError):
    """A build failed; the message is the builder's own sentence where it has one.

    Attributes
    ----------
    file : str
        The Dockerfile.
    line : int or None
        The first line of the instruction that failed, counted from 1; None where it is none of them.
    text : str
        What stands there.
    """

    file: str = ""
    line: int | None = None
    text: str = ""


class RunError(BuildError):
    """The command of a RUN step failed.

    Attributes
    ----------
    command : tuple of str
        The words that were executed.
    exit_code : int
        As a shell shows it.
    output : str
        What the command printed, the end of it.
    """

    def __init__(self, message: str, command: Sequence[str] = (), exit_code: int = 0, output: str = "") -> None:
        super().__init__(message, tuple(command), exit_code, output)
        self.command = tuple(command)
        self.exit_code = exit_code
        self.output = output

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class StateError(LayerSimError, ValueError):
    """A file or directory is no saved engine, or a broken one."""


class StateVersionError(StateError):
    """An engine was saved by a version of this library that knows more.

    Attributes
    ----------
    found, known : int
        The version of its format, and the newest that this library reads.
    """

    def __init__(self, message: str, found: int = 0, known: int = 0) -> None:
        super().__init__(message, found, known)
        self.found = found
        self.known = known

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class StoreLockedError(LayerSimError):
    """Another engine has a directory store open.

    Attributes
    ----------
    pid : int or None
        Its process, if it has said so yet.
    host : str
        The machine that the process is on.
    since : str
        When it opened the store, RFC 3339.
    """

    def __init__(self, message: str, pid: int | None = None, host: str = "", since: str = "") -> None:
        super().__init__(message, pid, host, since)
        self.pid = pid
        self.host = host
        self.since = since

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])


class DockerfileError(LayerSimError, ValueError):
    """A Dockerfile, or a word of it, is wrong; the message is the builder's own sentence.

    Attributes
    ----------
    file : str
        The file's name.
    line : int or None
        The first line of the instruction, counted from 1, where there is one.
    text : str
        What stands there.
    """

    def __init__(self, message: str, file: str = "", line: int | None = None, text: str = "") -> None:
        super().__init__(message, file, line, text)
        self.file = file
        self.line = line
        self.text = text

    def __str__(self) -> str:
        """Return the message alone."""
        return str(self.args[0])
