"""The napari plugin: one package for each form.

May import everything but `unet` and `cli`.
"""
