"""Networks, geometry and weights: images in, motion out; motion in, images out. torch only."""
