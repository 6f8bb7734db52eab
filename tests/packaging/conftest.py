"""The wheel, built once."""

from tests.packaging.wheel import wheel as wheel
