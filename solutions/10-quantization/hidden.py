# %% check="affine"
from fractions import Fraction

for _ in range(40):
    # lo / scale stays 0.1 away from a tie, so that every sound way to compute it gives one answer.
    _step, _steps_down = 10 ** rng.uniform(-3, 2), int(rng.integers(1, 255))
    _lo = -(_steps_down + rng.uniform(-0.4, 0.4)) * _step
    _hi = _lo + 255 * _step
    scale, zero_point = affine_params(_lo, _hi)
    assert abs(float(scale) / _step - 1) < 1e-5, "the scale is (hi - lo) / 255"
    assert float(zero_point) == -128 + _steps_down, "zero_point = -128 - rnd(lo / scale)"

for _steps_down in (0.5, 1.5, 2.5, 7.5, 100.5, 101.5, 253.5):
    # 1/64 is exact in binary, so these are true ties. round() of a Fraction is half to even.
    scale, zero_point = affine_params(-_steps_down / 64, (255 - _steps_down) / 64)
    assert abs(float(scale) * 64 - 1) < 1e-6, "the scale is (hi - lo) / 255"
    assert float(zero_point) == -128 - round(Fraction(-_steps_down)), "lo / scale is rounded half to even"

# %% check="affine-zero"
# Scales that are powers of two: lo / scale is exactly 0 or -255, so this check asks about zero and not about rounding.
_far = 255 * 2.0 ** int(rng.integers(-6, 3))
_near = _far * rng.uniform(0.1, 0.9)
for _lo, _hi, _z in ((_near, _far, -128), (-_far, -_near, 127), (_far, _far, -128), (-_far, -_far, 127),
                     (0.0, _far, -128), (-_far, 0.0, 127)):
    scale, zero_point = affine_params(_lo, _hi)
    _width = max(_hi, 0.0) - min(_lo, 0.0)
    assert abs(float(scale) * 255 / _width - 1) < 1e-5, "the range is widened to contain 0 before the scale is computed"
    assert float(zero_point) == _z, "0 must be on the grid, also for ranges on one side of it"
scale, zero_point = affine_params(0.0, 0.0)
assert float(scale) == 1.0 and float(zero_point) == 0, "the range [0, 0] gives (1.0, 0)"

# %% check="quantize"
import torch

for _dtype in (np.float32, np.float64):
    for _ in range(5):
        _scale, _z = float(10 ** rng.uniform(-3, 1)), int(rng.integers(-128, 128))
        _steps = rng.integers(-400, 400, (3, 5, 7)) + rng.uniform(-0.4, 0.4, (3, 5, 7))
        _x = (_steps * _scale).astype(_dtype)
        _fake = torch.fake_quantize_per_tensor_affine(torch.from_numpy(_x).float(), _scale, _z, -128, 127)
        _want = np.rint(_fake.numpy().astype(float) / _scale) + _z
        got = np.asarray(quantize(_x.copy(), _scale, _z))
        assert got.dtype == np.int8, "quantize returns int8"
        assert got.shape == _x.shape, "the shape stays"
        assert np.abs(got - _want).max() < 200, "values outside the range saturate at -128 and 127; they must not wrap"
        assert got.tolist() == _want.astype(int).tolist(), "q = clamp(rnd(x / scale) + zero_point, -128, 127)"

got = np.asarray(quantize(np.array([1e30, -1e30, 3e9, -3e9, 40.0]), 0.5, 7))
assert got.tolist() == [127, -128, 127, -128, 87], "clamp while the numbers are still floats: huge values saturate too"

# %% check="quantize-ties"
from fractions import Fraction

import torch

for _z in (0, 1, -7, 20, -128, 127):
    _halves = np.arange(-60, 60) + 0.5
    _want = [max(-128, min(127, round(Fraction(_h)) + _z)) for _h in _halves.tolist()]
    got = np.asarray(quantize(_halves * 0.25, 0.25, _z))
    assert got.tolist() == _want, "round x / scale half to even, then add the zero point"
    _fake = torch.fake_quantize_per_tensor_affine(torch.tensor(_halves * 0.25).float(), 0.25, _z, -128, 127)
    assert (((got.astype(float) - _z) * 0.25) == _fake.numpy()).all(), "torch rounds these ties half to even, too"

# %% check="quantize-back"
_q = np.arange(-128, 128, dtype=np.int8)
for _z in (0, -128, 127, int(rng.integers(-120, -1)), int(rng.integers(1, 120))):
    _scale = float(10 ** rng.uniform(-2, 1))
    got = np.asarray(dequantize(_q.reshape(2, 16, 8).copy(), _scale, _z))
    assert got.dtype == np.float32 and got.shape == (2, 16, 8), "dequantize returns float32 of q's shape"
    _want = [_scale * (_k - _z) for _k in range(-128, 128)]
    np.testing.assert_allclose(got.ravel(), _want, rtol=1e-5, atol=1e-9,
                               err_msg="x_hat = scale * (q - zero_point); q - zero_point doesn't fit int8")

# %% check="sqnr"
import math

for _shape in ((50,), (7, 9), (2, 3, 40)):
    # Neither the signal nor the error has mean zero, so nobody can use a variance in place of an energy.
    _x = (rng.normal(2.0, 1.0, _shape)).astype(np.float32)
    _y = (_x + rng.normal(0.3, 0.2, _shape)).astype(np.float32)
    _pairs = [(float(a), float(b)) for a, b in zip(_x.ravel(), _y.ravel())]
    _want = 10 * math.log10(math.fsum(a * a for a, _ in _pairs) / math.fsum((a - b) ** 2 for a, b in _pairs))
    got = float(sqnr_db(_x, _y))
    assert abs(got - _want) < 1e-3, "10 log10 of (signal energy / error energy), nothing subtracted"
got = float(sqnr_db(np.array([1.0, -1.0]), np.array([4.0, -4.0])))
assert abs(got - 10 * math.log10(1 / 9)) < 1e-6, "more noise than signal is a negative number of dB"

# %% check="sqnr-limits"
import math

_x = rng.normal(size=(4, 5))
assert float(sqnr_db(_x, _x.copy())) == math.inf, "no noise: +inf"
assert float(sqnr_db(np.zeros((2, 2)), np.zeros((2, 2)))) == math.inf, "no noise comes before no signal"
assert float(sqnr_db(np.zeros((2, 2)), np.ones((2, 2)))) == -math.inf, "no signal: -inf"
assert abs(float(sqnr_db(_x, _x / 2)) - 20 * math.log10(2)) < 1e-6, "half the amplitude missing: 6.02 dB"

# %% check="calibrate"
_shapes = [(4, 6), (17,), (2, 3, 5), (1, 1)]
for _low_at, _high_at in ((0, 1), (1, 0), (2, 3), (3, 2), (1, 2)):
    _batches = [rng.normal(size=_s).astype(np.float32) for _s in _shapes]
    _batches[_low_at].flat[-1], _batches[_high_at].flat[0] = -9.5, 7.25
    lo, hi = minmax_range([_b.copy() for _b in _batches])
    assert (float(lo), float(hi)) == (-9.5, 7.25), "the extremes of every batch count, not only one batch's"
_above = [rng.uniform(3, 5, 10), np.array([2.5, 5.5])]
lo, hi = minmax_range([_b.copy() for _b in _above])
assert (float(lo), float(hi)) == (2.5, 5.5), "minmax_range returns what was seen; widening to 0 is affine_params' job"

# %% check="calibrate-percentile"
from fractions import Fraction


def _percentile(values, p):
    values, h = sorted(values), (len(values) - 1) * Fraction(p) / 100
    k = min(int(h), len(values) - 2)
    return values[k] + float(h - k) * (values[k + 1] - values[k])


for p in (100, 99, 95.0, 90, 75, 50, 99.5):
    # Batches of different sizes and places: a mean of each batch's percentiles is far from the right answer.
    _batches = [rng.exponential(2.0, (5, 8)), rng.normal(-4.0, 1.0, 13), rng.normal(20.0, 3.0, (2, 2, 2))]
    _all = [v for _b in _batches for v in _b.ravel().tolist()]
    lo, hi = percentile_range([_b.copy() for _b in _batches], p)
    np.testing.assert_allclose(float(hi), _percentile(_all, p), rtol=1e-5, atol=1e-6,
                               err_msg="hi is the p-th percentile of all batches together, linearly interpolated")
    np.testing.assert_allclose(float(lo), _percentile(_all, 100 - p), rtol=1e-5, atol=1e-6,
                               err_msg="lo is the (100 - p)-th percentile: both ends are cut")

# %% check="calibrate-choice"
from statistics import NormalDist

# The same bells every time, only shuffled and scaled, so that a flaw in an earlier question costs the same in every
# attempt. The mean of 1 keeps the zero point away from 0.
_bell = np.array([NormalDist(1.0, 1.0).inv_cdf((k + 0.5) / 4000) for k in range(4000)])
_other_bell = np.array([NormalDist(1.0, 1.0).inv_cdf((k + 0.5) / 2100) for k in range(2100)])
for _size in (0.01, 1.0, 300.0):
    _size *= rng.uniform(1.0, 1.1)
    _clean = list((_size * rng.permutation(_bell)).astype(np.float32).reshape(4, 10, 100))
    _held_out = (_size * rng.permutation(_other_bell)).astype(np.float32)
    _outliers = [(_size * np.array(v)).astype(np.float32) for v in ([-90.0, 70.0, -80.0], [90.0, -70.0, 80.0])]
    # With six outliers in 4006 values, 99.9 keeps the bell (44 dB); the others stay below 22 dB.
    _batches = [_clean[0], _outliers[0], *_clean[1:], _outliers[1]]
    got = float(choose_percentile(_batches, _held_out, [90, 100, 99.9, 97]))
    assert got == 99.9, "the percentile that is best for the held-out values, calibrated on the batches"
    # A clean bell: whatever is clipped costs more than finer steps gain.
    got = float(choose_percentile(_clean, _held_out, [97, 100, 99]))
    assert got == 100, "the percentile with the highest SQNR on the held-out values"
got = float(choose_percentile(_clean, np.zeros((3, 4)), [99, 99.5, 97]))
assert got == 99.5, "among equal SQNRs, the largest p"
_two_sided = [np.tile([-3.0, 3.0], 500)]
assert float(choose_percentile(_two_sided, np.array([2.0, -1.0]), [75, 98, 95])) == 98, "among equal SQNRs, the largest p"

# %% check="symmetric"
from fractions import Fraction

for _shape in ((40,), (6, 9), (2, 3, 4)):
    for _sign in (1, -1):
        _w = rng.uniform(-1, 1, _shape).astype(np.float32)
        _w.flat[3] = _sign * 2.5
        got = float(symmetric_scale(_w.copy()))
        assert abs(got * 127 / 2.5 - 1) < 1e-5, "the scale is the largest magnitude over 127, whichever its sign"
        _steps = rng.integers(-200, 200, _shape) + rng.uniform(-0.4, 0.4, _shape)
        _steps.flat[0], _steps.flat[1] = -180.0, 180.0
        got = np.asarray(quantize_symmetric((_steps * 0.03).astype(np.float32), 0.03))
        assert got.dtype == np.int8 and got.shape == _shape, "int8, of w's shape"
        assert got.tolist() == np.clip(np.rint(_steps), -127, 127).astype(int).tolist(), (
            "clamp(rnd(w / scale), -127, 127): -128 isn't used")
got = np.asarray(quantize_symmetric((np.arange(-8, 8) + 0.5) / 16, 1 / 16))
assert got.tolist() == [round(Fraction(2 * _k + 1, 2)) for _k in range(-8, 8)], "round half to even"
assert float(symmetric_scale(np.zeros((3, 4), dtype=np.float32))) == 1.0, "an all-zero tensor has the scale 1.0"

# %% check="symmetric-channel"
import torch

for _shape, axis in (((5, 5), 0), ((5, 5), 1), ((4, 7), 1), ((4, 7), -1), ((4, 7), 0), ((3, 4, 5, 2), 0),
                     ((3, 4, 5, 2), 1), ((3, 4, 5, 2), -2)):
    _channels = _shape[axis]
    _w = rng.uniform(-1, 1, _shape)
    _rows = np.moveaxis(_w, axis, 0)                 # a view: what we do to a row happens to its channel
    _rows *= (4.0 ** np.arange(_channels)).reshape(-1, *[1] * (_rows.ndim - 1))
    _rows[1] = 0.0
    _w = _w.astype(np.float32)
    _flat = np.moveaxis(_w, axis, 0).reshape(_channels, -1).tolist()
    _want = [max(abs(v) for v in row) / 127 or 1.0 for row in _flat]
    got = np.asarray(symmetric_scale(_w.copy(), axis=axis))
    assert got.shape == (_channels,), "one scale for each index along the channel axis"
    np.testing.assert_allclose(got, _want, rtol=1e-5, err_msg="the maximum is taken over all the other axes; 0 gives 1.0")

    _scales = 10 ** rng.uniform(-2, 1, _channels)
    _steps = rng.integers(-200, 200, _shape) + rng.uniform(-0.4, 0.4, _shape)
    _tall = _scales.reshape([-1 if _k == axis % len(_shape) else 1 for _k in range(len(_shape))])
    _w = (_steps * _tall).astype(np.float32)
    _fake = torch.fake_quantize_per_channel_affine(torch.from_numpy(_w), torch.tensor(_scales).float(),
                                                   torch.zeros(_channels, dtype=torch.int32), axis % len(_shape), -127, 127)
    _want = np.rint(_fake.numpy() / _tall).astype(int)
    got = np.asarray(quantize_symmetric(_w.copy(), _scales.copy(), axis=axis))
    assert got.dtype == np.int8 and got.shape == _shape, "int8, of w's shape"
    assert got.tolist() == _want.tolist(), "each channel is divided by its own scale, rounded, clamped to -127 … 127"

# %% check="matmul"
import torch


def _product(qx, qw, zx, zw):
    columns = list(zip(*qw.tolist()))
    return [[sum((a - zx) * (b - zw) for a, b in zip(row, column)) for column in columns] for row in qx.tolist()]


for n, k, m in ((1, 1, 1), (5, 37, 4), (3, 2, 8), (4, 64, 4)):
    for zx, zw in ((0, 0), (-128, 0), (127, 0), (-128, 127), (int(rng.integers(1, 120)), int(rng.integers(-120, -1)))):
        _qx = rng.integers(-128, 128, (n, k)).astype(np.int8)
        _qw = rng.integers(-128, 128, (k, m)).astype(np.int8)
        got = np.asarray(int8_matmul(_qx.copy(), _qw.copy(), zx, zw))
        assert got.dtype == np.int32 and got.shape == (n, m), "an int32 array of shape (n, m)"
        assert got.tolist() == _product(_qx, _qw, zx, zw), "the accumulator must be exact: width, and both zero points"
_torch = torch.matmul(torch.from_numpy(_qx).int() - zx, torch.from_numpy(_qw).int() - zw)
assert (got == _torch.numpy()).all(), "the accumulator must be exact"

# %% check="matmul-long"
# 1025 · 255² = 66 650 625 is odd and above 2^24: int16 wraps, and float32 can't hold it.
_low = np.full((2, 1025), -128, dtype=np.int8)
got = np.asarray(int8_matmul(_low, _low.T.copy(), 127, 127))
assert got.dtype == np.int32, "the accumulator is int32"
assert got.tolist() == [[66650625] * 2] * 2, "long sums must be exact: int16 wraps, float32 loses the last bits"
_high = np.full((1, 30001), 127, dtype=np.int8)
got = np.asarray(int8_matmul(_high, _high.T.copy(), -128, -128))
assert got.tolist() == [[30001 * 255 * 255]], "long sums must be exact"

# %% check="requantize-bias"
from fractions import Fraction

for s_w in (0.003, 10 ** rng.uniform(-3, 0, 30)):
    s_x = float(10 ** rng.uniform(-2, 1))
    _steps = rng.integers(-50_000, 50_000, 30) + rng.uniform(-0.4, 0.4, 30)
    got = np.asarray(quantize_bias(_steps * s_x * s_w, s_x, s_w))
    assert got.dtype == np.int32 and got.shape == (30,), "an int32 array of b's shape"
    assert got.tolist() == np.rint(_steps).astype(int).tolist(), "the bias is counted in units of s_x * s_w"
got = np.asarray(quantize_bias((np.arange(-6, 6) + 0.5) / 8, 0.5, 0.25))
assert got.tolist() == [round(Fraction(2 * _k + 1, 2)) for _k in range(-6, 6)], "round half to even"

# %% check="requantize"
from fractions import Fraction


def _requantized(acc, s_x, s_w, s_y, z_y):
    """Exact rational arithmetic. Also returns how near the products come to a tie."""
    out, nearest = [], 1.0
    for row in acc.tolist():
        out.append([])
        for j, a in enumerate(row):
            product = a * Fraction(s_x) * Fraction(float(s_w[j])) / Fraction(s_y)
            nearest = min(nearest, abs(float(product % 1) - 0.5))
            out[-1].append(max(-128, min(127, round(product) + z_y)))
    return out, nearest


for _ in range(6):
    s_x, s_y, z_y = float(10 ** rng.uniform(-3, -1)), float(10 ** rng.uniform(-2, 0)), int(rng.integers(-128, 128))
    s_w = 10 ** rng.uniform(-3, -1, 7)
    _nearest = 0.0
    while _nearest < 1e-3:                           # every sound way to compute the product rounds alike
        _acc = np.rint(rng.uniform(-300, 300, (8, 7)) * s_y / (s_x * s_w)).astype(np.int32)
        _want, _nearest = _requantized(_acc, s_x, s_w, s_y, z_y)
    got = np.asarray(requantize(_acc.copy(), s_x, s_w.copy(), s_y, z_y))
    assert got.dtype == np.int8 and got.shape == (8, 7), "an int8 array of acc's shape"
    assert np.abs(got - np.array(_want)).max() < 200, "values outside int8 saturate; they must not wrap"
    assert got.tolist() == _want, "clamp(rnd(acc * s_x * s_w / s_y) + z_y, -128, 127), s_w for each column"
for z_y in (0, 3, -128):
    _acc = np.arange(-100, 100, dtype=np.int32).reshape(50, 4)
    _want, _ = _requantized(_acc, 0.5, [0.25] * 4, 0.25, z_y)
    got = np.asarray(requantize(_acc.copy(), 0.5, 0.25, 0.25, z_y))
    assert got.tolist() == _want, "round the product half to even, then add z_y"

# %% check="mlp"
def _near(integers, exact, message):
    """Integers that some sound float arithmetic could round `exact` to: ties are another check's subject."""
    integers, exact = np.asarray(integers, dtype=float), np.asarray(exact, dtype=float)
    assert integers.shape == exact.shape, message
    assert (np.abs(integers - exact) <= 0.5 + 1e-2 + 1e-4 * np.abs(exact)).all(), message


def _hidden_mlp(sizes):
    return [((rng.normal(0, i ** -0.5, (i, o)) * rng.uniform(0.2, 3.0, o)).astype(np.float32),
             rng.normal(0, 0.5, o).astype(np.float32)) for i, o in zip(sizes, sizes[1:])]


for _sizes in ((6, 8, 3), (5, 5, 5, 5, 5), (9, 4)):
    _params = _hidden_mlp(_sizes)
    # The widest batch is in the middle; the others alone give a much narrower range.
    _batches = [(rng.normal(size=(n, _sizes[0])) * size).astype(np.float32) for n, size in ((7, 1), (4, 5), (9, 1))]
    model = quantize_mlp([(w.copy(), b.copy()) for w, b in _params], [h.copy() for h in _batches])
    assert len(model) == len(_params), "one dict for each layer"
    _h = np.concatenate(_batches).astype(np.float64)
    for k, (w, b) in enumerate(_params):
        layer, _s_w = model[k], np.abs(w).max(axis=0) / 127
        _lo, _hi = min(_h.min(), 0), max(_h.max(), 0)
        _s_x = (_hi - _lo) / 255
        np.testing.assert_allclose(float(layer["s_x"]), _s_x, rtol=1e-4,
                                   err_msg="the input grid covers all calibration batches (after the ReLU, in hidden layers)")
        _near(int(layer["z_x"]), -128 - _lo / _s_x, "the zero point of the layer's input grid")
        np.testing.assert_allclose(np.asarray(layer["s_w"]), _s_w, rtol=1e-4, err_msg="weights: one scale for each column")
        got = np.asarray(layer["qw"])
        assert got.dtype == np.int8, "qw is int8"
        _near(got, w / _s_w, "qw: rnd(w / s_w), symmetric")
        got = np.asarray(layer["qb"])
        assert got.dtype == np.int32, "qb is int32"
        _near(got, b / (_s_x * _s_w), "qb: rnd(b / (s_x * s_w))")
        _h = _h @ w + b
        if k < len(_params) - 1:
            _h = np.maximum(_h, 0)
        _lo, _hi = min(_h.min(), 0), max(_h.max(), 0)
        np.testing.assert_allclose(float(layer["s_y"]), (_hi - _lo) / 255, rtol=1e-4,
                                   err_msg="the output grid covers the float network's outputs over all calibration batches")
        _near(int(layer["z_y"]), -128 - _lo * 255 / (_hi - _lo), "the zero point of the layer's output grid")
        assert k == 0 or float(layer["s_x"]) == float(model[k - 1]["s_y"]), "one grid between two layers"
        assert k == 0 or int(layer["z_x"]) == int(model[k - 1]["z_y"]), "one grid between two layers"

# %% check="mlp-run"
from fractions import Fraction


def _int8(reals, zero_point):
    """Half to even, in exact rational arithmetic; also the distance to the nearest tie."""
    nearest = min(abs(float(v % 1) - 0.5) for row in reals for v in row)
    return [[max(-128, min(127, round(v) + zero_point)) for v in row] for row in reals], nearest


def _run(model, x):
    first = model[0]
    q, nearest = _int8([[Fraction(v) / Fraction(first["s_x"]) for v in row] for row in x.tolist()], first["z_x"])
    for layer in model:
        columns, biases = layer["qw"].T.tolist(), layer["qb"].tolist()
        factors = [Fraction(layer["s_x"]) * Fraction(s) / Fraction(layer["s_y"]) for s in layer["s_w"].tolist()]
        acc = [[b + sum((v - layer["z_x"]) * w for v, w in zip(row, column)) for column, b in zip(columns, biases)]
               for row in q]
        q, near = _int8([[a * factor for a, factor in zip(row, factors)] for row in acc], layer["z_y"])
        nearest = min(nearest, near)
    return [[float(Fraction(layer["s_y"]) * (v - layer["z_y"])) for v in row] for row in q], nearest


def _hidden_model(sizes):
    model, s_x, z_x = [], float(10 ** rng.uniform(-2, 0)), int(rng.integers(-60, 60))
    for k, (i, o) in enumerate(zip(sizes, sizes[1:])):
        qw, s_w = rng.integers(-127, 128, (i, o)).astype(np.int8), 10 ** rng.uniform(-3, -1, o)
        last = k == len(sizes) - 2
        # Outputs of a typical size of 60 steps, so that a few saturate and most don't.
        s_y = float(s_x * s_w.mean() * 70 * 70 * i ** 0.5 / 60)
        z_y = int(rng.integers(-20, 20)) if last else -128
        model.append({"qw": qw, "qb": rng.integers(-20_000, 20_000, o).astype(np.int32), "s_w": s_w,
                      "s_x": s_x, "z_x": z_x, "s_y": s_y, "z_y": z_y})
        s_x, z_x = s_y, z_y
    return model


for _sizes in ((7, 5), (9, 8, 4), (4, 6, 5, 3)):
    _nearest = 0.0
    while _nearest < 1e-4:
        _model = _hidden_model(_sizes)
        _x = (_model[0]["s_x"] * rng.uniform(-140, 140, (6, _sizes[0]))).astype(np.float32)
        _x[0, 0], _x[1, 1] = 1000 * _model[0]["s_x"], -1000 * _model[0]["s_x"]
        _want, _nearest = _run(_model, _x)
    got = np.asarray(run_quantized([dict(_layer) for _layer in _model], _x.copy()))
    assert got.dtype == np.float32 and got.shape == (6, _sizes[-1]), "float32 logits of shape (n, outputs)"
    np.testing.assert_allclose(got, _want, rtol=1e-5, atol=1e-7 * float(np.abs(_want).max()),
                               err_msg="stored grids only; integers in between; no ReLU of its own after the last layer")

# A wide layer with everything at the top: 64 · 117 · 127 = 950 976 needs more than int16, in every attempt.
_wide = [{"qw": np.tile(np.array([127, -126], dtype=np.int8), (64, 1)), "qb": np.array([0, 100], dtype=np.int32),
          "s_w": np.full(2, 2.0 ** -6), "s_x": 0.5, "z_x": 10, "s_y": 128.0, "z_y": 5}]
_x = np.full((1, 64), 60.0, dtype=np.float32)
got = np.asarray(run_quantized(_wide, _x.copy()))
assert got.tolist() == _run(_wide, _x)[0], "the accumulator must be exact, also in a wide layer"

# %% check="mlp-accuracy"
_GLYPHS = """
.###. ..#.. .###. ####. ...#. ##### ..##. ##### .###. .###.
#...# .##.. #...# ....# ..##. #.... .#... ....# #...# #...#
#..## ..#.. ....# ....# .#.#. ####. #.... ...#. #...# #...#
#.#.# ..#.. ..##. .###. #..#. ....# ####. ..#.. .###. .####
##..# ..#.. .#... ....# ##### ....# #...# .#... #...# ....#
#...# ..#.. #.... ....# ...#. #...# #...# .#... #...# ...#.
.###. .###. ##### ####. ...#. .###. .###. .#... .###. .##..
"""


def _digits(n, rng):
    rows = [line.split() for line in _GLYPHS.strip().split("\n")]
    glyphs = np.array([[[c == "#" for c in row[digit]] for row in rows] for digit in range(10)], dtype=float)
    labels = rng.integers(0, 10, n)
    images = rng.normal(0.0, 0.25, (n, 8, 8))
    for image, label in zip(images, labels):
        top, left = rng.integers(0, 2), rng.integers(0, 4)
        image[top:top + 7, left:left + 5] += rng.uniform(0.6, 1.4) * glyphs[label]
    return images.reshape(n, 64).astype(np.float32), labels


def _trained(x, labels, sizes, rng, steps=300, batch_size=128):
    params = [(rng.normal(0, (2 / i) ** 0.5, (i, o)), np.zeros(o)) for i, o in zip(sizes, sizes[1:])]
    velocity = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]
    for _ in range(steps):
        batch = rng.integers(0, len(x), batch_size)
        inputs = [x[batch].astype(float)]
        for w, b in params[:-1]:
            inputs.append(np.maximum(inputs[-1] @ w + b, 0))
        grad = np.exp(inputs[-1] @ params[-1][0] + params[-1][1])
        grad /= grad.sum(axis=1, keepdims=True) * batch_size
        grad[np.arange(batch_size), labels[batch]] -= 1 / batch_size
        for (w, b), (vw, vb), h in zip(params[::-1], velocity[::-1], inputs[::-1]):
            grad_w, grad_b, grad = h.T @ grad, grad.sum(axis=0), (grad @ w.T) * (h > 0)
            vw += -0.1 * vw - 0.1 * grad_w
            vb += -0.1 * vb - 0.1 * grad_b
            w += vw
            b += vb
    return [(w.astype(np.float32), b.astype(np.float32)) for w, b in params]


# Other digits and another network than the notebook's, the same in every attempt: a flaw in an earlier question may
# or may not bring a network below the threshold. The reference keeps 29.8 dB or more and loses 0.6 points at most on
# every seed from 0 to 99, so the thresholds judge the code and not the draw.
_seeded = np.random.default_rng(28)
_x, _labels = _digits(2500, _seeded)
_params = _trained(_x[:1500], _labels[:1500], (64, 40, 20, 10), _seeded)
model = quantize_mlp([(w.copy(), b.copy()) for w, b in _params], [_x[:200].copy(), _x[200:450].copy()])
got = np.asarray(run_quantized(model, _x[1500:].copy()), dtype=np.float64)
_logits = _x[1500:].astype(float)
for k, (w, b) in enumerate(_params):
    _logits = _logits @ w + b
    _logits = np.maximum(_logits, 0) if k < len(_params) - 1 else _logits
assert got.shape == _logits.shape, "logits of shape (n, outputs)"
_noise = max(float(np.sum((_logits - got) ** 2)), 1e-30)
assert 10 * np.log10(np.sum(_logits ** 2) / _noise) >= 25, "the logits are too far from the float network's (SQNR)"
_right, _float_right = np.mean(got.argmax(axis=1) == _labels[1500:]), np.mean(_logits.argmax(axis=1) == _labels[1500:])
assert _right >= _float_right - 0.01, "the accuracy falls by more than one percentage point"

# %% check="mlp-memory"
for _sizes in ((5, 7), (11, 3, 2), (784, 256, 128, 10), (1, 1, 1, 1)):
    _model = [{"qw": np.ones((i, o), dtype=np.int8), "qb": np.ones(o, dtype=np.int32), "s_w": np.ones(o),
               "s_x": 0.1, "z_x": 1, "s_y": 0.1, "z_y": 1} for i, o in zip(_sizes, _sizes[1:])]
    _weights, _outputs = sum(i * o for i, o in zip(_sizes, _sizes[1:])), sum(_sizes[1:])
    float_bytes, int8_bytes = model_bytes(_model)
    assert int(float_bytes) == 4 * (_weights + _outputs), "float: 4 bytes for each weight and each bias"
    assert int(int8_bytes) == _weights + 4 * _outputs + 4 * _outputs + 5 * len(_model) + 5, (
        "int8: weights, int32 biases, float32 scales, 5 bytes for each grid (one input grid, one for each output)")
