# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = min(float(lo), 0.0), max(float(hi), 0.0)
    if lo == hi:
        return 1.0, 0
    scale = (hi - lo) / 255
    return scale, -128 - round(lo / scale)


# %% solve="quantize"
def quantize(x, scale, zero_point):
    q = np.rint(np.asarray(x, dtype=np.float64) / scale) + zero_point
    return np.clip(q, -128, 127).astype(np.int8)


def dequantize(q, scale, zero_point):
    return (scale * (q.astype(np.float64) - zero_point)).astype(np.float32)


# %% solve="sqnr"
def sqnr_db(x, x_hat):
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    signal, noise = np.sum(x ** 2), np.sum((x - x_hat) ** 2)
    if noise == 0:
        return np.inf
    if signal == 0:
        return -np.inf
    return 10 * np.log10(signal / noise)


# %% solve="calibrate"
def minmax_range(batches):
    return min(float(batch.min()) for batch in batches), max(float(batch.max()) for batch in batches)


def percentile_range(batches, p):
    values = np.concatenate([batch.ravel() for batch in batches]).astype(np.float64)
    lo, hi = np.percentile(values, [100 - p, p])
    return lo, hi


def choose_percentile(batches, held_out, candidates):
    def score(p):
        grid = affine_params(*percentile_range(batches, p))
        return sqnr_db(held_out, dequantize(quantize(held_out, *grid), *grid))

    return max(candidates, key=lambda p: (score(p), p))


# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    others = None if axis is None else tuple(k for k in range(w.ndim) if k != axis % w.ndim)
    largest = np.abs(w).max(axis=others).astype(np.float64)
    return np.where(largest > 0, largest / 127, 1.0)[()]


def quantize_symmetric(w, scale, axis=None):
    if axis is not None:
        shape = [1] * w.ndim
        shape[axis] = -1
        scale = np.reshape(scale, shape)
    return np.clip(np.rint(w.astype(np.float64) / scale), -127, 127).astype(np.int8)


# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return (qx.astype(np.int32) - zx) @ (qw.astype(np.int32) - zw)


# %% solve="requantize"
def quantize_bias(b, s_x, s_w):
    return np.rint(b.astype(np.float64) / (s_x * s_w)).astype(np.int32)


def requantize(acc, s_x, s_w, s_y, z_y):
    q = np.rint(acc * (s_x * s_w / s_y)) + z_y
    return np.clip(q, -128, 127).astype(np.int8)


# %% solve="mlp"
def quantize_mlp(params, batches):
    model = []
    s_x, z_x = affine_params(*minmax_range(batches))
    for k, (w, b) in enumerate(params):
        batches = [h @ w + b for h in batches]
        if k < len(params) - 1:
            batches = [np.maximum(h, 0) for h in batches]
        s_y, z_y = affine_params(*minmax_range(batches))
        s_w = symmetric_scale(w, axis=1)
        model.append({"qw": quantize_symmetric(w, s_w, axis=1), "qb": quantize_bias(b, s_x, s_w), "s_w": s_w,
                      "s_x": s_x, "z_x": z_x, "s_y": s_y, "z_y": z_y})
        s_x, z_x = s_y, z_y
    return model


def run_quantized(model, x):
    q = quantize(x, model[0]["s_x"], model[0]["z_x"])
    for layer in model:
        acc = int8_matmul(q, layer["qw"], layer["z_x"]) + layer["qb"]
        q = requantize(acc, layer["s_x"], layer["s_w"], layer["s_y"], layer["z_y"])
    return dequantize(q, model[-1]["s_y"], model[-1]["z_y"])


def model_bytes(model):
    weights = sum(layer["qw"].size for layer in model)
    biases = sum(layer["qb"].size for layer in model)
    return 4 * (weights + biases), weights + 8 * biases + 5 * len(model) + 5
