# mistake = "forgets the term K zx zw"
# changes = ["matmul"]
# mark = 88

# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return qx.astype(np.int32) @ qw - zx * qw.sum(axis=0, dtype=np.int32) - zw * qx.sum(axis=1, keepdims=True, dtype=np.int32)
