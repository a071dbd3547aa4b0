"""What a stage has come to: the config of its image, the history, the layers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from layersim._core import View
from layersim.build.dockerfile import DEFAULT_SHELL
from layersim.image.document import decode_untyped

if TYPE_CHECKING:
    from layersim._core import Layer
    from layersim.build.dockerfile import Dialect
    from layersim.image import HistoryEntry, Image
    from layersim.image.document import Json

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class MadeBy(NamedTuple):
    """What BuildKit tells of a layer that no history tells of.

    Attributes
    ----------
    description : str
    created_ns : int or None
        When, in nanoseconds since 1970; None for layers of a base, which are as old as the build.
    """

    description: str
    created_ns: int | None = None


FROM_BASE = MadeBy("from local ")


@dataclass
class Draft:
    """An image on its way.

    Attributes
    ----------
    config : dict
        What containers will start with, in Docker's names.
    layers : list of Layer
        Base first.
    history : list of HistoryEntry
        Oldest first.
    origin : dict
        The fields of the base's own document, such as its platform.
    author : str
        As ``MAINTAINER`` or the base says.
    has_command : bool
        Whether this very stage has a ``CMD``, which ``ENTRYPOINT`` leaves alone then.
    made_by : list of MadeBy
        What BuildKit knows of each layer by itself, base first.
    """

    config: dict[str, Json]
    layers: list[Layer] = field(default_factory=list)
    history: list[HistoryEntry] = field(default_factory=list)
    origin: dict[str, Json] = field(default_factory=dict)
    author: str = ""
    has_command: bool = False
    made_by: list[MadeBy] = field(default_factory=list)

    @classmethod
    def upon(cls, base: Image) -> Draft:
        """Start from an image."""
        origin = decode_untyped(base.raw_config, base.id)
        found = origin.get("config")
        config = dict(found) if isinstance(found, dict) else {}
        draft = cls(config, list(base.layers), list(base.config.history or ()), origin, str(origin.get("author") or ""))
        draft.made_by = [FROM_BASE] * len(draft.layers)
        draft.set_default_path()
        return draft

    @classmethod
    def from_nothing(cls, dialect: Dialect) -> Draft:
        """Start as ``FROM scratch`` does."""
        draft = cls({"WorkingDir": "/"} if dialect.builder == "buildkit" else {})
        draft.set_default_path()
        return draft

    def fork(self) -> Draft:
        """Return what another stage that is built upon this one starts from."""
        return replace(
            self,
            config=dict(self.config),
            layers=[*self.layers],
            history=[*self.history],
            made_by=[*self.made_by],
            has_command=False,
        )

    def set_default_path(self) -> None:
        """Give it a ``PATH`` if it has none."""
        if "PATH" not in self.env:
            self.set_env((("PATH", DEFAULT_PATH),))

    @property
    def env(self) -> dict[str, str]:
        """Its environment."""
        pairs = (str(text).partition("=") for text in self.words("Env"))
        return {name: value for name, _, value in pairs}

    def set_env(self, pairs: tuple[tuple[str, str], ...]) -> None:
        """Set variables; one that is there keeps its place."""
        self.config["Env"] = [f"{name}={value}" for name, value in (self.env | dict(pairs)).items()]

    @property
    def shell(self) -> tuple[str, ...]:
        """What stands before a command of the shell form."""
        return tuple(self.words("Shell")) or DEFAULT_SHELL

    @property
    def user(self) -> str:
        """Who runs commands; empty for root."""
        return str(self.config.get("User") or "")

    @property
    def working_dir(self) -> str:
        """Where commands run; empty where nothing says so."""
        return str(self.config.get("WorkingDir") or "")

    @property
    def triggers(self) -> list[str]:
        """What its ``ONBUILD`` says."""
        return self.words("OnBuild")

    @property
    def volumes(self) -> list[str]:
        """Directories that containers keep elsewhere."""
        found = self.config.get("Volumes")
        return list(found) if isinstance(found, dict) else []

    def view(self) -> View:
        """Return the files of its layers."""
        return View(self.layers)

    def words(self, name: str) -> list[str]:
        """Return a list of the config, such as ``Cmd``; an empty one where there is none."""
        found = self.config.get(name)
        return [str(text) for text in found] if isinstance(found, list) else []
