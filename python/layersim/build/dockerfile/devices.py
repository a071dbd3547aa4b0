"""``RUN --device``: what is wrong with one; what is right, no engine gives."""

from __future__ import annotations

from layersim.build.dockerfile.csv_fields import boolean, csv_fields
from layersim.build.dockerfile.faults import WrongInstructionError
from layersim.build.dockerfile.mistakes import did_you_mean

_KEYS = ("name", "required")


def check_device(text: str) -> None:
    """Check the value of a ``--device`` flag: a name, and whether it is required.

    Raises
    ------
    WrongInstructionError
        It is wrong, in the builder's words.
    """
    name = ""
    for number, field in enumerate(csv_fields(text, "devices")):
        key, equals, value = field.partition("=")
        key = key.lower()
        if number == 0 and (not equals or key not in _KEYS):
            name = field
        elif not equals and key != "required":
            raise WrongInstructionError(f"invalid field '{field}' must be a key=value pair")
        elif key == "name":
            if name:
                raise WrongInstructionError(f"device name already set to {name}")
            name = value
        elif key != "required":
            raise WrongInstructionError(f"unexpected key '{key}' in '{field}'{did_you_mean(key, _KEYS)}")
        elif equals:
            boolean(key, value)
