# mistake = "20 log10 of an energy ratio"
# changes = ["sqnr"]
# mark = 92

# %% solve="sqnr"
def sqnr_db(x, x_hat):
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    signal, noise = np.sum(x ** 2), np.sum((x - x_hat) ** 2)
    if noise == 0:
        return np.inf
    if signal == 0:
        return -np.inf
    return 20 * np.log10(signal / noise)
