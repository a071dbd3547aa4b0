"""The public names: listed once, documented in full, checked on the live objects."""

from __future__ import annotations

import doctest
import inspect
from typing import TYPE_CHECKING

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import layersim as ls
from layersim import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKS = {
    "GL03",  # no double blank lines
    "GL05",  # no tabs
    "GL06",  # no unknown section
    "GL07",  # sections in their order
    "GL08",  # there is a docstring
    "GL10",  # directives are spelled right
    "SS01",  # there is a summary
    "SS02",  # it starts with a capital letter
    "SS03",  # it ends with a period
    "SS04",  # it has no leading spaces
    "PR01",  # every parameter is documented
    "PR02",  # and no other
    "PR03",  # in their order
    "PR04",  # each has a type
    "PR07",  # each has a description
    "RT03",  # what is returned is described
}
"""The checks of `numpydoc.validate` that hold for every public name."""

UNCHECKED_WITH_FIELDS = frozenset({"PR01"})
"""Values and exceptions are made by the library: their attributes are documented, not their constructors."""


def public_objects() -> Iterator[tuple[str, object]]:
    """Yield every public name, and every public member of the classes among them."""
    for name in ls.__all__:
        found = getattr(ls, name)
        yield name, found
        if inspect.isclass(found):
            for member in sorted(vars(found)):
                if not member.startswith("_") and _is_code(vars(found)[member]):
                    yield f"{name}.{member}", getattr(found, member)


def _is_code(member: object) -> bool:
    return (
        callable(member)
        or isinstance(member, property | classmethod | staticmethod)
        or inspect.isgetsetdescriptor(member)
    )


def fields(found: type) -> list[str]:
    """Return the names of the values that each instance keeps: those of a dataclass, a struct or slots."""
    annotated = inspect.get_annotations(found) if hasattr(found, "__match_args__") else {}
    slots = [name for name, member in vars(found).items() if inspect.ismemberdescriptor(member)]
    return sorted(name for name in {*annotated, *slots} if not name.startswith("_"))


OBJECTS = dict(public_objects())


def test_the_list_is_sorted_by_group_and_free_of_doubles() -> None:
    assert len(ls.__all__) == len(set(ls.__all__))
    assert [name for name in ls.__all__ if name.startswith("_") and name != "__version__"] == []


def test_the_names_that_outside_checks_rely_on_are_public() -> None:
    promised = {
        "Layer",
        "View",
        "Overlay",
        "Engine",
        "Image",
        "Change",
        "write",
        "mkdir",
        "symlink",
        "hardlink",
        "remove",
        "opaque",
    }
    assert promised <= set(ls.__all__)


def test_every_error_has_one_base_and_tells_what_it_is() -> None:
    classes = [found for found in vars(errors).values() if inspect.isclass(found) and issubclass(found, Exception)]
    assert len(classes) > 10
    assert [found.__name__ for found in classes if not issubclass(found, ls.LayerSimError) or not found.__doc__] == []
    assert [
        found.__name__
        for found in classes
        if found.__module__ == "layersim.errors" and found.__name__ not in errors.__doc__
    ] == []


@pytest.mark.parametrize("name", OBJECTS)
def test_a_public_name_is_documented(name: str) -> None:
    found = OBJECTS[name]
    if not (callable(found) or inspect.isdatadescriptor(found)):
        return  # a constant; its module's docstring tells of it
    has_fields = isinstance(found, type) and (issubclass(found, Exception) or bool(fields(found)))
    unchecked = UNCHECKED_WITH_FIELDS if has_fields else frozenset()
    breaches = [(code, text) for code, text in validate(f"layersim.{name}")["errors"] if code in CHECKS - unchecked]
    assert breaches == []


EXAMPLES = [name for name, found in OBJECTS.items() if ">>>" in (inspect.getdoc(found) or "")]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_public_name_shows_what_happens(name: str) -> None:
    docstring = inspect.getdoc(OBJECTS[name]) or ""
    example = doctest.DocTestParser().get_doctest(docstring, {}, name, None, None)
    told: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(example, out=told.append).failed == 0, "".join(told)


@pytest.mark.parametrize("name", [name for name, found in OBJECTS.items() if isinstance(found, type) and fields(found)])
def test_the_fields_of_a_class_are_among_its_attributes(name: str) -> None:
    found = OBJECTS[name]
    assert isinstance(found, type)
    attributes = NumpyDocString(inspect.getdoc(found) or "")["Attributes"]
    assert set(fields(found)) <= {name for attribute in attributes for name in attribute.name.split(", ")}
