# mistake = "p / 100 * n is rounded up although it is a whole number"
# changes = ["percentile"]
# mark = 90

# %% solve="percentile"
def percentile(samples, p):
    return float(sorted(samples)[math.ceil(p / 100 * len(samples)) - 1])
