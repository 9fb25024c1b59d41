"""
Find structure that was removed
===============================

Noise has no shape. `removed_structure` looks for shapes in the difference of the noisy and the denoised image. Here a
faint line is put into the image, and a method that erases it is found out.
"""

import matplotlib.pyplot as plt

import napari_dental_denoise as ndd

clean = ndd.phantom((240, 320), rng=1000)
noisy = ndd.add_gaussian_noise(clean, sigma=10 / 255, rng=0)
denoised = ndd.denoise(noisy)
with_line = noisy.copy()
with_line[150:153, 120:180] += 0.1

figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for axis, image, name in zip(axes, (noisy, with_line), ("noise removed", "a line erased too"), strict=True):
    removed = ndd.removed_structure(image, denoised)
    print(f"{name}: {removed}")
    axis.imshow(image - denoised, cmap="gray")
    axis.scatter(
        [place.column for place in removed.places], [place.row for place in removed.places], s=120, fc="none", ec="r"
    )
    axis.set_title(f"{name}: {len(removed.places)} places")
    axis.set_axis_off()
plt.show()
