# way = "float32 wherever numpy leaves it at that, the input's dtype kept; close to a tie it could differ, elsewhere not"

# %% solve="quantize"
def quantize(x, scale, zero_point):
    return np.clip((x / scale).round() + zero_point, -128, 127).astype(np.int8)


def dequantize(q, scale, zero_point):
    return (q.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)


# %% solve="calibrate"
def minmax_range(batches):
    together = np.concatenate([batch.reshape(-1) for batch in batches])
    return together.min(), together.max()


def percentile_range(batches, p):
    together = np.concatenate([batch.reshape(-1) for batch in batches])
    return np.percentile(together, 100 - p), np.percentile(together, p)


def choose_percentile(batches, held_out, candidates):
    results = {}
    for p in candidates:
        lo, hi = percentile_range(batches, p)
        scale, zero_point = affine_params(lo, hi)
        results[p] = sqnr_db(held_out, dequantize(quantize(held_out, scale, zero_point), scale, zero_point))
    best = max(results.values())
    return max(p for p, result in results.items() if result == best)


# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    largest = abs(w).max() if axis is None else abs(w).max(axis=tuple(set(range(w.ndim)) - {range(w.ndim)[axis]}))
    scale = np.float64(largest / np.float32(127))
    return np.where(scale == 0, 1.0, scale)


def quantize_symmetric(w, scale, axis=None):
    if axis is not None:
        w = w.swapaxes(axis, -1)
    q = np.clip((w / scale).round(), -127, 127).astype(np.int8)
    return q if axis is None else q.swapaxes(axis, -1)


# %% solve="requantize"
def quantize_bias(b, s_x, s_w):
    return np.rint(b / (s_x * s_w)).astype(np.int32)


def requantize(acc, s_x, s_w, s_y, z_y):
    multiplier = np.float32(s_x * s_w / s_y)
    return np.clip(np.rint(acc * multiplier) + z_y, -128, 127).astype(np.int8)
