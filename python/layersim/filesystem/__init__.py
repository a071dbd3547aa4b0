"""Files inside images for every library that opens URLs: ``layersim://``, a read-only file system of fsspec.

Needs `fsspec <https://filesystem-spec.readthedocs.io>`_ (``pip install "layersim[fsspec]"``), which finds it by the
name of the protocol: nothing has to be imported.
"""

from layersim.filesystem.image import ImageFileSystem

__all__ = ["ImageFileSystem"]
