"""Defaults of the forms: the plugin's page in Preferences, else those of the project."""

from __future__ import annotations

from typing import Any

PLUGIN = "napari-dental-denoise"


def preference(section: str, name: str, default: Any) -> Any:
    """A value of the plugin's page in Preferences.

    Parameters
    ----------
    section, name : str
        As in the manifest's configurations.
    default : object
        Where the page is not there, as outside a napari that found the plugin.

    Returns
    -------
    object
    """
    from napari.settings import get_plugin_settings

    try:
        settings = get_plugin_settings(PLUGIN)
    except (KeyError, ValueError):
        return default
    return getattr(getattr(settings, section, None), name, default)
