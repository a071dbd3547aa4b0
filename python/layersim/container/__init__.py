"""Containers: an image with a writable top and a state, and all containers of one engine."""

from __future__ import annotations

from layersim.container.mountpoints import container_view
from layersim.container.store import ContainerStore
from layersim.container.value import Container, Wishes
from layersim.container.volumes import Volume, VolumeStore, check_volume_name

__all__ = ["Container", "ContainerStore", "Volume", "VolumeStore", "Wishes", "check_volume_name", "container_view"]
