"""How a word or a run of characters is told by a number: what the vocabulary and the compiled loops agree on."""

import numpy as np

# So many characters has a run.
RUNS = (3, 4, 5)
# A word or run is told by so many bits, the highest of which says which of the two it is.
BITS = 52
IS_RUN = np.uint64(1 << BITS - 1)
# Places of a vocabulary are looked up by the lowest bits; of those that share them, the most frequent is known.
SLOT_BITS = 22
# A slot's entry holds a place in the vocabulary in its lowest bits, and above it the bits that a slot does not tell.
PLACE_BITS = 64 - (BITS - SLOT_BITS)

# An odd multiplier for the polynomial; the constants of the finalizer of SplitMix64.
MULTIPLIER = 0x9E3779B97F4A7C15
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
