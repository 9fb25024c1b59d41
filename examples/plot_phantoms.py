"""
Draw synthetic radiographs
==========================

`phantom` draws teeth, bone, fillings and implants with an exact truth; the same seed gives the same image.
"""

from dataclasses import replace

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

anatomy = replace(ndd.random_anatomy(rng=3), bitewing=False, cone_cut=0.0)
images = {
    "as drawn": anatomy,
    "upper jaw": replace(anatomy, jaw="upper"),
    "bite-wing": replace(anatomy, bitewing=True),
    "implants": replace(anatomy, implants=1.0),
    "fillings": replace(anatomy, restored=1.0),
    "caries": replace(anatomy, carious=1.0, restored=0.0),
}

figure, axes = plt.subplots(2, 3, figsize=(10, 5.2), layout="constrained")
for axis, (name, drawn) in zip(axes.flat, images.items(), strict=True):
    axis.imshow(ndd.phantom((240, 360), rng=3, anatomy=drawn), cmap="gray", vmin=0, vmax=1)
    axis.set_axis_off()
    axis.set_title(name)
plt.show()
