"""The U-Net and its training: the only place for Keras and TensorFlow."""
