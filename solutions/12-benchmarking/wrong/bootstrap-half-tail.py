# mistake = "takes tail for the total of both ends"
# changes = ["bootstrap"]
# mark = 90

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    mean_a = rng.choice(a, size=(resamples, len(a))).mean(axis=1)
    mean_b = rng.choice(b, size=(resamples, len(b))).mean(axis=1)
    ratios = sorted(mean_a / mean_b)
    cut = math.ceil(tail / 2 * resamples / 100)
    return float(ratios[cut - 1]), float(a.mean() / b.mean()), float(ratios[resamples - cut])
