# mistake = "accumulates in int8"
# changes = ["matmul", "mlp"]
# mark = 79

# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return (qx @ qw).astype(np.int32) - zx * qw.sum(axis=0, dtype=np.int32) - zw * qx.sum(axis=1, keepdims=True, dtype=np.int32) + qx.shape[1] * zx * zw
