"""What newer BuildKit remarks about a Dockerfile: its rules, and what ``# check=`` says of them."""

from layersim.build.lint.remarks import remarks

__all__ = ["remarks"]
