"""The blocking recorder under the name of its first version; `dictum` is the package."""

from dictum import *  # noqa: F403
