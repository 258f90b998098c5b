# mistake = "only the last batch counts"
# changes = ["calibrate", "mlp"]
# mark = 90

# %% solve="calibrate"
def minmax_range(batches):
    for batch in batches:
        lo, hi = float(batch.min()), float(batch.max())
    return lo, hi


def percentile_range(batches, p):
    values = np.concatenate([batch.ravel() for batch in batches]).astype(np.float64)
    lo, hi = np.percentile(values, [100 - p, p])
    return lo, hi


def choose_percentile(batches, held_out, candidates):
    def score(p):
        grid = affine_params(*percentile_range(batches, p))
        return sqnr_db(held_out, dequantize(quantize(held_out, *grid), *grid))

    return max(candidates, key=lambda p: (score(p), p))
