"""Defaults of the forms, which the user sets on the plugin's page in Preferences."""

from __future__ import annotations

from typing import Any

from napari_dental_denoise.config import PROGRAM


def preference(section: str, name: str, default: Any) -> Any:
    """Return a value of the plugin's page in Preferences.

    Parameters
    ----------
    section, name : str
        As in the manifest's configurations.
    default : object
        Is returned if there is no page, because napari has not discovered the plugin.
    """
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PROGRAM)
    except (KeyError, ValueError):
        return default
    return getattr(getattr(settings, section, None), name, default)
