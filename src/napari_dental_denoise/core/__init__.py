"""What needs neither Keras nor a window: images, noise, metrics, tiles, models that run on OpenVINO."""
