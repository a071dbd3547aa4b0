"""Engines by name. Quirks of an engine live here and nowhere else."""

from __future__ import annotations

from layersim.profiles.base import Profile
from layersim.profiles.containerd import CONTAINERD
from layersim.profiles.docker20 import DOCKER20
from layersim.profiles.docker_cli import CLI_20, CLI_28, CLI_29
from layersim.profiles.overlay2 import OVERLAY2

__all__ = [
    "CLI_20",
    "CLI_28",
    "CLI_29",
    "CONTAINERD",
    "DOCKER20",
    "OVERLAY2",
    "PROFILE_NAMES",
    "Profile",
    "find_profile",
]

_PROFILES = {profile.name: profile for profile in (DOCKER20, OVERLAY2, CONTAINERD)}
# Oldest engine first.
PROFILE_NAMES = tuple(_PROFILES)


def find_profile(profile: str | Profile) -> Profile:
    """Return a profile by name; a profile stands for itself.

    Raises
    ------
    ValueError
        There is none of this name; the message lists those there are.
    """
    if isinstance(profile, Profile):
        return profile
    if profile not in _PROFILES:
        raise ValueError(f"no profile {profile!r}; there is {', '.join(map(repr, PROFILE_NAMES))}")
    return _PROFILES[profile]
