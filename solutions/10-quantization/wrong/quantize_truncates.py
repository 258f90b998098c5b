# mistake = "truncates toward zero instead of rounding"
# changes = ["quantize", "mlp"]
# mark = 85

# %% solve="quantize"
def quantize(x, scale, zero_point):
    q = np.trunc(np.asarray(x, dtype=np.float64) / scale) + zero_point
    return np.clip(q, -128, 127).astype(np.int8)


def dequantize(q, scale, zero_point):
    return (scale * (q.astype(np.float64) - zero_point)).astype(np.float32)
