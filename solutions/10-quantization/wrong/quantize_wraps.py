# mistake = "no saturation: the cast to int8 wraps"
# changes = ["quantize", "calibrate", "mlp"]
# mark = 77

# %% solve="quantize"
def quantize(x, scale, zero_point):
    q = np.rint(np.asarray(x, dtype=np.float64) / scale) + zero_point
    return q.astype(np.int64).astype(np.int8)


def dequantize(q, scale, zero_point):
    return (scale * (q.astype(np.float64) - zero_point)).astype(np.float32)
