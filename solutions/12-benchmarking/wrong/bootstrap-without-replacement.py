# mistake = "shuffles instead of drawing with replacement"
# changes = ["bootstrap"]
# mark = 86

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(resamples):
        a_star = rng.choice(a, size=len(a), replace=False)
        b_star = rng.choice(b, size=len(b), replace=False)
        ratios.append(a_star.mean() / b_star.mean())
    return percentile(ratios, tail), float(a.mean() / b.mean()), percentile(ratios, 100 - tail)
