# mistake = "resamples only the new program's times"
# changes = ["bootstrap"]
# mark = 90

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    ratios = a.mean() / rng.choice(b, size=(resamples, len(b))).mean(axis=1)
    return percentile(ratios, tail), float(a.mean() / b.mean()), percentile(ratios, 100 - tail)
