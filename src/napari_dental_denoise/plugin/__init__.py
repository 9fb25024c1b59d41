"""What napari shows: the only place for napari, Qt and magicgui."""
