"""Tests of the building of images: the language of Dockerfiles, contexts, and the builders."""
