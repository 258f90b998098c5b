# mistake = "accumulates in int16"
# changes = ["matmul", "mlp"]
# mark = 79

# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return ((qx.astype(np.int16) - zx) @ (qw.astype(np.int16) - zw)).astype(np.int32)
