# mistake = "uses the same drawn positions for both sides, as if the samples were pairs"
# changes = ["bootstrap"]
# mark = 90

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    u = rng.random((resamples, max(len(a), len(b))))
    mean_a = a[(u[:, :len(a)] * len(a)).astype(int)].mean(axis=1)
    mean_b = b[(u[:, :len(b)] * len(b)).astype(int)].mean(axis=1)
    ratios = mean_a / mean_b
    return percentile(ratios, tail), float(a.mean() / b.mean()), percentile(ratios, 100 - tail)
