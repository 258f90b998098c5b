# way = "the four-term product on a float64 BLAS, reciprocal scales, numpy scalars, quantile and a sorted search"

# %% solve="affine"
def affine_params(lo, hi):
    lo, hi = np.minimum(np.float64(lo), 0), np.maximum(np.float64(hi), 0)
    scale = (hi - lo) / np.float64(255)
    if scale == 0:
        return np.float64(1), np.int64(0)
    return scale, np.int64(-128 + np.round(-lo / scale))


# %% solve="quantize"
def quantize(x, scale, zero_point):
    q = np.round(x.astype(np.float64) / scale)
    q += zero_point
    np.minimum(q, 127, out=q)
    np.maximum(q, -128, out=q)
    return np.int8(q)


def dequantize(q, scale, zero_point):
    table = (np.arange(-128, 128) - zero_point) * scale
    return table.astype(np.float32)[q.astype(np.intp) + 128]


# %% solve="sqnr"
def sqnr_db(x, x_hat):
    x, error = np.float64(x).ravel(), np.float64(x).ravel() - np.float64(x_hat).ravel()
    with np.errstate(divide="ignore"):
        levels = 20 * np.log10([np.linalg.norm(x), np.linalg.norm(error)])
    return np.float64(np.inf) if not error.any() else levels[0] - levels[1]


# %% solve="calibrate"
def minmax_range(batches):
    lo, hi = np.inf, -np.inf
    for batch in batches:
        lo, hi = np.minimum(lo, np.min(batch)), np.maximum(hi, np.max(batch))
    return lo, hi


def percentile_range(batches, p):
    values = np.hstack([np.ravel(batch) for batch in batches])
    return np.quantile(values, np.array([1 - p / 100, p / 100]))


def choose_percentile(batches, held_out, candidates):
    candidates = np.sort(candidates)[::-1]
    scores = []
    for p in candidates:
        scale, zero_point = affine_params(*percentile_range(batches, p))
        scores.append(sqnr_db(held_out, dequantize(quantize(held_out, scale, zero_point), scale, zero_point)))
    return candidates[np.argmax(scores)]


# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    if axis is None:
        flat = np.reshape(w, (1, -1))
    else:
        flat = np.swapaxes(w, 0, axis).reshape(w.shape[axis], -1)
    largest = np.maximum(flat.max(axis=1), -flat.min(axis=1)).astype(np.float64)
    largest[largest == 0] = 127
    return largest / 127 if axis is not None else largest[0] / 127


def quantize_symmetric(w, scale, axis=None):
    last = np.moveaxis(w, axis, -1) if axis is not None else w
    q = np.rint(last.astype(np.float64) / scale).clip(-127, 127).astype(np.int8)
    return np.moveaxis(q, -1, axis) if axis is not None else q


# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    x, w = qx.astype(np.float64), qw.astype(np.float64)      # exact: every sum stays below 2**53
    acc = x @ w
    acc -= zx * w.sum(axis=0)
    acc -= (zw * x.sum(axis=1))[:, None]
    return (acc + x.shape[1] * zx * zw).astype(np.int32)


# %% solve="requantize"
def quantize_bias(b, s_x, s_w):
    return np.round(np.float64(b) / s_w / s_x).astype("int32")


def requantize(acc, s_x, s_w, s_y, z_y):
    q = np.round(np.float64(acc) * s_w * s_x / s_y) + z_y
    q[q > 127] = 127
    q[q < -128] = -128
    return q.astype(np.int8)


# %% solve="mlp"
def quantize_mlp(params, batches):
    h = np.concatenate(batches).astype(np.float64)
    grid, model = affine_params(h.min(), h.max()), []
    while len(model) < len(params):
        w, b = params[len(model)]
        h = h @ w + b
        if len(model) + 1 != len(params):
            h = np.where(h > 0, h, 0.0)
        s_w, out = symmetric_scale(w, 1), affine_params(h.min(), h.max())
        model.append({"qw": quantize_symmetric(w, s_w, 1), "qb": quantize_bias(b, grid[0], s_w), "s_w": s_w,
                      "s_x": grid[0], "z_x": grid[1], "s_y": out[0], "z_y": out[1]})
        grid = out
    return model


def run_quantized(model, x):
    def layers(q):
        for layer in model:
            acc = np.add(int8_matmul(q, layer["qw"], layer["z_x"]), layer["qb"], dtype=np.int32)
            q = requantize(acc, layer["s_x"], layer["s_w"], layer["s_y"], layer["z_y"])
            yield q

    *_, logits = layers(quantize(x, model[0]["s_x"], model[0]["z_x"]))
    return dequantize(logits, model[-1]["s_y"], model[-1]["z_y"])


def model_bytes(model):
    parameters = np.array([[layer["qw"].size, layer["qb"].size] for layer in model]).sum(axis=0)
    return np.int64(4 * parameters.sum()), parameters @ np.array([1, 8]) + 5 * (len(model) + 1)
