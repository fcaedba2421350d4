"""The benchmark of fused marks on real answers of several people: boxes and spans with gold, moments without."""
