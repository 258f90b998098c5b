# mistake = "subtracts the zero point in int8, which overflows"
# changes = ["quantize", "calibrate", "mlp"]
# mark = 81

# %% solve="quantize"
def quantize(x, scale, zero_point):
    q = np.rint(np.asarray(x, dtype=np.float64) / scale) + zero_point
    return np.clip(q, -128, 127).astype(np.int8)


def dequantize(q, scale, zero_point):
    return (scale * (q - np.int8(zero_point))).astype(np.float32)
