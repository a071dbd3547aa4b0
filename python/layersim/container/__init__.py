"""Containers: an image with a writable top and a state, and all containers of one engine."""

from __future__ import annotations

from layersim.container.mountpoints import container_view
from layersim.container.store import ContainerStore
from layersim.container.value import CREATED, Container, Life, Wishes
from layersim.container.volumes import (
    Volume,
    VolumeStore,
    check_destination,
    check_mount_path,
    check_volume_name,
    demand_directory,
)

__all__ = [
    "CREATED",
    "Container",
    "ContainerStore",
    "Life",
    "Volume",
    "VolumeStore",
    "Wishes",
    "check_destination",
    "check_mount_path",
    "check_volume_name",
    "container_view",
    "demand_directory",
]
