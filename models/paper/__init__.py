"""The `paper` preset: F, L, H, Δ, M, G in the sizes of FV2V fig. 12 and 13 (Wang, Mallya, Liu 2021)."""
