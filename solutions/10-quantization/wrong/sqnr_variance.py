# mistake = "variances in place of energies, so a shift costs nothing"
# changes = ["sqnr"]
# mark = 92

# %% solve="sqnr"
def sqnr_db(x, x_hat):
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    signal, noise = np.var(x), np.var(x - x_hat)
    if noise == 0:
        return np.inf
    if signal == 0:
        return -np.inf
    return 10 * np.log10(signal / noise)
