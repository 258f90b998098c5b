# way = "plain Python: loops, integers and Fraction, numpy only at the edges"

# %% solve="affine"
from fractions import Fraction


def affine_params(lo, hi):
    lo, hi = Fraction(min(float(lo), 0.0)), Fraction(max(float(hi), 0.0))
    scale = (hi - lo) / 255
    if not scale:
        return 1.0, 0
    return float(scale), -128 - round(lo / scale)


# %% solve="quantize"
def _clamped(value, lowest, highest):
    return lowest if value < lowest else highest if value > highest else value


def quantize(x, scale, zero_point):
    q = [_clamped(round(float(v) / scale) + zero_point, -128, 127) for v in x.reshape(-1)]
    return np.array(q, dtype=np.int8).reshape(x.shape)


def dequantize(q, scale, zero_point):
    out = np.zeros(q.shape, dtype=np.float32)
    for index in np.ndindex(q.shape):
        out[index] = scale * (int(q[index]) - zero_point)
    return out


# %% solve="sqnr"
import math


def sqnr_db(x, x_hat):
    signal = noise = 0.0
    for a, b in zip(x.ravel().tolist(), x_hat.ravel().tolist()):
        signal += a * a
        noise += (a - b) ** 2
    if noise == 0:
        return math.inf
    return -math.inf if signal == 0 else 10 * (math.log10(signal) - math.log10(noise))


# %% solve="calibrate"
def _sorted(batches):
    return sorted(v for batch in batches for v in batch.ravel().tolist())


def minmax_range(batches):
    values = _sorted(batches)
    return values[0], values[-1]


def _at(values, p):
    position = (len(values) - 1) * p / 100
    below = math.floor(position)
    above = min(below + 1, len(values) - 1)
    return values[below] + (position - below) * (values[above] - values[below])


def percentile_range(batches, p):
    values = _sorted(batches)
    return [_at(values, 100 - p), _at(values, p)]


def choose_percentile(batches, held_out, candidates):
    best = None
    for p in sorted(candidates):
        scale, zero_point = affine_params(*percentile_range(batches, p))
        score = sqnr_db(held_out, dequantize(quantize(held_out, scale, zero_point), scale, zero_point))
        if best is None or score >= best[0]:
            best = score, p
    return best[1]


# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    if axis is None:
        largest = max(abs(v) for v in w.ravel().tolist())
        return largest / 127 if largest else 1.0
    return np.array([symmetric_scale(np.take(w, [c], axis=axis)) for c in range(w.shape[axis])])


def quantize_symmetric(w, scale, axis=None):
    q = np.empty(w.shape, dtype=np.int8)
    for index in np.ndindex(w.shape):
        s = scale if axis is None else scale[index[axis]]
        q[index] = _clamped(round(float(w[index]) / float(s)), -127, 127)
    return q


# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    columns = [[v - zw for v in column] for column in qw.T.tolist()]
    rows = [[v - zx for v in row] for row in qx.tolist()]
    return np.array([[sum(a * b for a, b in zip(row, column)) for column in columns] for row in rows], dtype=np.int32)


# %% solve="requantize"
def _for_each(s_w, m):
    return [float(s) for s in np.broadcast_to(s_w, (m,))]


def quantize_bias(b, s_x, s_w):
    return np.array([round(float(v) / (s_x * s)) for v, s in zip(b, _for_each(s_w, len(b)))], dtype=np.int32)


def requantize(acc, s_x, s_w, s_y, z_y):
    scales = _for_each(s_w, acc.shape[1])
    return np.array([[_clamped(round(a * s_x * s / s_y) + z_y, -128, 127) for a, s in zip(row, scales)]
                     for row in acc.tolist()], dtype=np.int8)


# %% solve="mlp"
def quantize_mlp(params, batches):
    places = [list(batches)]
    for k, (w, b) in enumerate(params):
        outputs = [h @ w + b for h in places[-1]]
        places.append([h * (h > 0) for h in outputs] if k + 1 < len(params) else outputs)
    grids = [affine_params(*minmax_range(place)) for place in places]
    model = []
    for (w, b), (s_x, z_x), (s_y, z_y) in zip(params, grids, grids[1:]):
        layer = dict(s_x=s_x, z_x=z_x, s_y=s_y, z_y=z_y, s_w=symmetric_scale(w, axis=-1))
        layer["qw"] = quantize_symmetric(w, layer["s_w"], axis=-1)
        layer["qb"] = quantize_bias(b, s_x, layer["s_w"])
        model.append(layer)
    return tuple(model)


def run_quantized(model, x):
    hidden = quantize(x, model[0]["s_x"], model[0]["z_x"])
    for layer in model:
        acc = int8_matmul(hidden, layer["qw"], layer["z_x"])
        acc = np.array([[a + b for a, b in zip(row, layer["qb"].tolist())] for row in acc.tolist()], dtype=np.int32)
        hidden = requantize(acc, layer["s_x"], layer["s_w"], layer["s_y"], layer["z_y"])
    return dequantize(hidden, layer["s_y"], layer["z_y"])


def model_bytes(model):
    small, large = 5, 0
    for layer in model:
        inputs, outputs = layer["qw"].shape
        large += 4 * (inputs * outputs + outputs)
        small += inputs * outputs + 4 * outputs + 4 * outputs + 4 + 1
    return [large, small]
