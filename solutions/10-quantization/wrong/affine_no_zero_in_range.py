# mistake = "the range isn't widened to contain zero"
# changes = ["affine"]
# mark = 96

# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = float(lo), float(hi)
    if lo == hi:
        return 1.0, 0
    scale = (hi - lo) / 255
    return scale, -128 - round(lo / scale)
