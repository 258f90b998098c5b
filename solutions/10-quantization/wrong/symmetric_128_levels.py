# mistake = "divides by 128 levels instead of 127"
# changes = ["symmetric", "mlp"]
# mark = 81

# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    others = None if axis is None else tuple(k for k in range(w.ndim) if k != axis % w.ndim)
    largest = np.abs(w).max(axis=others).astype(np.float64)
    return np.where(largest > 0, largest / 128, 1.0)[()]


def quantize_symmetric(w, scale, axis=None):
    if axis is not None:
        shape = [1] * w.ndim
        shape[axis] = -1
        scale = np.reshape(scale, shape)
    return np.clip(np.rint(w.astype(np.float64) / scale), -127, 127).astype(np.int8)
