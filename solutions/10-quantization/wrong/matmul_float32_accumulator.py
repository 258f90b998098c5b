# mistake = "accumulates in float32"
# changes = ["matmul"]
# mark = 96

# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return ((qx.astype(np.float32) - zx) @ (qw.astype(np.float32) - zw)).astype(np.int32)
