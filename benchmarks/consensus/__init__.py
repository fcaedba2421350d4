"""The benchmark of consensus methods, ours and crowd-kit's side by side: how often right, how fast, how large."""
