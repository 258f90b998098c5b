# mistake = "the zero point is truncated, not rounded"
# changes = ["affine", "mlp"]
# mark = 87

# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = min(float(lo), 0.0), max(float(hi), 0.0)
    if lo == hi:
        return 1.0, 0
    scale = (hi - lo) / 255
    return scale, -128 - int(lo / scale)
