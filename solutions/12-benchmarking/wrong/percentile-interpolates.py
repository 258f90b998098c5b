# mistake = "numpy's default percentile, which blends two neighbouring samples"
# changes = ["percentile", "bootstrap", "scenarios", "server"]
# mark = 74

# %% solve="percentile"
def percentile(samples, p):
    return float(np.percentile(samples, p))
