# mistake = "divides the range by 256 values instead of 255 steps"
# changes = ["affine", "mlp"]
# mark = 83

# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = min(float(lo), 0.0), max(float(hi), 0.0)
    if lo == hi:
        return 1.0, 0
    scale = (hi - lo) / 256
    return scale, -128 - round(lo / scale)
