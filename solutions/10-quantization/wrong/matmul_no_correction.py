# mistake = "forgets the zero points"
# changes = ["matmul", "mlp"]
# mark = 79

# %% solve="matmul"
def int8_matmul(qx, qw, zx, zw=0):
    return qx.astype(np.int32) @ qw.astype(np.int32)
