# mistake = "noise over signal"
# changes = ["sqnr", "calibrate"]
# mark = 87

# %% solve="sqnr"
def sqnr_db(x, x_hat):
    x, x_hat = np.asarray(x, dtype=np.float64), np.asarray(x_hat, dtype=np.float64)
    signal, noise = np.sum(x ** 2), np.sum((x - x_hat) ** 2)
    if noise == 0:
        return np.inf
    if signal == 0:
        return -np.inf
    return 10 * np.log10(noise / signal)
