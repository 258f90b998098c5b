# mistake = "a range of nothing gets the smallest float as its scale"
# changes = ["affine"]
# mark = 96

# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = min(float(lo), 0.0), max(float(hi), 0.0)
    scale = max((hi - lo) / 255, float(np.finfo(np.float32).eps))
    return scale, -128 - round(lo / scale)
