"""The benchmark of fused segments in time: real actions, marked by simulated annotators of two shapes."""
