# mistake = "cuts only the upper end"
# changes = ["calibrate"]
# mark = 96

# %% solve="calibrate"
def minmax_range(batches):
    return min(float(batch.min()) for batch in batches), max(float(batch.max()) for batch in batches)


def percentile_range(batches, p):
    values = np.concatenate([batch.ravel() for batch in batches]).astype(np.float64)
    lo, hi = np.percentile(values, [0, p])
    return lo, hi


def choose_percentile(batches, held_out, candidates):
    def score(p):
        grid = affine_params(*percentile_range(batches, p))
        return sqnr_db(held_out, dequantize(quantize(held_out, *grid), *grid))

    return max(candidates, key=lambda p: (score(p), p))
