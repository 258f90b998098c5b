# mistake = "multiplies by s_y / (s_x s_w)"
# changes = ["requantize", "mlp"]
# mark = 83

# %% solve="requantize"
def quantize_bias(b, s_x, s_w):
    return np.rint(b.astype(np.float64) / (s_x * s_w)).astype(np.int32)


def requantize(acc, s_x, s_w, s_y, z_y):
    q = np.rint(acc * (s_y / (s_x * s_w))) + z_y
    return np.clip(q, -128, 127).astype(np.int8)
