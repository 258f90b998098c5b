# way = "classes for grids and layers; the network simulated in real numbers on the grids, with an explicit ReLU"

# %% solve="affine"
from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    scale: float
    zero_point: int
    lowest: int = -128
    highest: int = 127

    @classmethod
    def covering(cls, lo, hi):
        lo, hi = sorted([lo, 0, hi])[::2]
        width = float(hi) - float(lo)
        return cls(width / 255, -128 - int(np.rint(lo / (width / 255)))) if width else cls(1.0, 0)

    def to_int(self, x):
        steps = np.divide(x, self.scale, dtype=np.float64)
        return np.clip(np.around(steps) + self.zero_point, self.lowest, self.highest).astype(np.int8)

    def to_real(self, q):
        return np.subtract(q, self.zero_point, dtype=np.int64) * self.scale


def affine_params(lo, hi):
    grid = Grid.covering(lo, hi)
    return grid.scale, grid.zero_point


# %% solve="quantize"
def quantize(x, scale, zero_point):
    return Grid(scale, zero_point).to_int(x)


def dequantize(q, scale, zero_point):
    return Grid(scale, zero_point).to_real(q).astype(np.float32)


# %% solve="symmetric"
def symmetric_scale(w, axis=None):
    if axis is None:
        return np.max(np.abs(w)).item() / 127 or 1.0
    return np.array([symmetric_scale(channel) for channel in np.moveaxis(w, axis, 0)], dtype=np.float64)


def quantize_symmetric(w, scale, axis=None):
    if axis is None:
        return Grid(scale, 0, -127).to_int(w)
    channels = [Grid(s, 0, -127).to_int(channel) for s, channel in zip(scale, np.moveaxis(w, axis, 0))]
    return np.stack(channels, axis=axis)


# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    x, w = np.subtract(qx, zx, dtype=np.int64), np.subtract(qw, zw, dtype=np.int64)
    return np.einsum("ik,kj->ij", x, w).astype(np.int32)


# %% solve="requantize"
def quantize_bias(b, s_x, s_w):
    return np.rint(np.divide(b, np.multiply(s_x, s_w), dtype=np.float64)).astype(np.int32)


def requantize(acc, s_x, s_w, s_y, z_y):
    return Grid(s_y, z_y).to_int(np.asarray(acc, dtype=np.float64) * (s_x * np.asarray(s_w)))


# %% solve="mlp"
class Layer:
    def __init__(self, w, b, before, after):
        self.w, self.b, self.before, self.after = w, b, before, after

    def as_dict(self):
        s_w = symmetric_scale(self.w, axis=1)
        return {"s_x": self.before.scale, "z_x": self.before.zero_point, "s_y": self.after.scale,
                "z_y": self.after.zero_point, "s_w": s_w, "qw": quantize_symmetric(self.w, s_w, axis=1),
                "qb": quantize_bias(self.b, self.before.scale, s_w)}


def quantize_mlp(params, batches):
    batches, layers = list(batches), []
    before = Grid.covering(*minmax_range(batches))
    for w, b in params:
        batches = [np.matmul(h, w) + b for h in batches]
        if w is not params[-1][0]:
            batches = [h.clip(min=0) for h in batches]
        layers.append(Layer(w, b, before, Grid.covering(*minmax_range(batches))))
        before = layers[-1].after
    return [layer.as_dict() for layer in layers]


def run_quantized(model, x):
    h = Grid(model[0]["s_x"], model[0]["z_x"]).to_real(quantize(x, model[0]["s_x"], model[0]["z_x"]))
    for layer in model:
        unit = layer["s_x"] * layer["s_w"]
        h = h @ (layer["qw"] * layer["s_w"]) + layer["qb"] * unit
        if layer is not model[-1]:
            h = np.maximum(h, 0)
        grid = Grid(layer["s_y"], layer["z_y"])
        h = grid.to_real(grid.to_int(h))
    return h.astype(np.float32)


def model_bytes(model):
    shapes = [layer["qw"].shape for layer in model]
    float_bytes = sum(4 * (i + 1) * o for i, o in shapes)
    int8_bytes = sum(i * o + 8 * o + 5 for i, o in shapes) + 5
    return float_bytes, int8_bytes
