"""CVAT's XML, of images and of video."""
