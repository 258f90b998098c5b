# mistake = "rank counted from 0: one sample too high"
# changes = ["percentile", "bootstrap", "scenarios", "server"]
# mark = 74

# %% solve="percentile"
def percentile(samples, p):
    ordered = sorted(samples)
    k = math.ceil(p * len(ordered) / 100)
    return float(ordered[min(k, len(ordered) - 1)])
