# mistake = "averages each batch's percentiles"
# changes = ["calibrate"]
# mark = 91

# %% solve="calibrate"
def minmax_range(batches):
    return min(float(batch.min()) for batch in batches), max(float(batch.max()) for batch in batches)


def percentile_range(batches, p):
    lo, hi = np.mean([np.percentile(batch, [100 - p, p]) for batch in batches], axis=0)
    return lo, hi


def choose_percentile(batches, held_out, candidates):
    def score(p):
        grid = affine_params(*percentile_range(batches, p))
        return sqnr_db(held_out, dequantize(quantize(held_out, *grid), *grid))

    return max(candidates, key=lambda p: (score(p), p))
