# mistake = "sorts the caller's samples"
# changes = ["percentile"]
# mark = 90

# %% solve="percentile"
def percentile(samples, p):
    samples.sort()
    return float(samples[math.ceil(p * len(samples) / 100) - 1])
