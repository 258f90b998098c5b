# way = "array operations wherever there is one: partition, integers + take, searchsorted, running maximum, einsum, accumulate"

# %% solve="percentile"
def percentile(samples, p):
    values = np.array(samples, dtype=float)
    position = (p * values.size + 99) // 100 - 1
    return np.partition(values, position)[position]

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    calls = [work] * batch

    def once():
        before = clock()
        for call in calls:
            call()
        return clock() - before

    for _ in range(warmup):
        work()
    return np.array([once() for _ in range(repeats)], dtype=np.int64) / (1e9 * batch)


def batch_size(work, clock, at_least_ns):
    for exponent in range(64):
        before = clock()
        for _ in range(2**exponent):
            work()
        if clock() - before >= at_least_ns:
            return np.int64(2**exponent)

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    rng = np.random.RandomState(seed)
    times = [np.asarray(side, dtype=float) for side in (b, a)]
    b_means, a_means = [t[rng.randint(0, t.size, size=(resamples, t.size))].sum(axis=1) / t.size for t in times]
    ratios = a_means / b_means
    ends = [percentile(ratios, q) for q in (tail, 100 - tail)]
    return np.array([ends[0], np.mean(a) / np.mean(b), ends[1]])

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    service = np.asarray(service, dtype=float)
    by_time = np.searchsorted(np.cumsum(service), min_seconds, side="left") + 1
    queries = max(int(by_time), min_queries)
    if queries > service.size:
        raise ValueError("the run is too short")
    return queries, percentile(service[:queries], 90)


def offline(batch_sizes, batch_seconds, workers=1):
    free_at = np.zeros(workers)
    for seconds in batch_seconds:
        free_at[np.argmin(free_at)] += seconds
    return np.sum(batch_sizes) / free_at.max()

# %% solve="server"
def latencies(arrivals, service):
    arrivals, service = np.asarray(arrivals, dtype=float), np.asarray(service, dtype=float)
    done = np.cumsum(service)
    return done + np.maximum.accumulate(arrivals - (done - service)) - arrivals


def highest_rate(meets, rates):
    import bisect

    count = bisect.bisect_left(rates, True, key=lambda rate: not meets(rate))
    return float(rates[count - 1]) if count > 0 else 0.0


def server(gaps, service, rates, bound):
    return highest_rate(lambda rate: bool(percentile(latencies(np.cumsum(np.asarray(gaps) / rate), service), 99) <= bound), rates)

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    intensity = np.divide(flops, traffic)
    return np.minimum(peak, intensity * bandwidth), str(np.where(intensity < peak / bandwidth, "memory", "compute"))


def amdahl(fraction, speedup):
    return np.reciprocal(1 - fraction * (1 - 1 / speedup))


def needed(fraction, target):
    if target * (1 - fraction) >= 1:
        return np.inf
    return fraction * target / (1 - target * (1 - fraction))

# %% solve="pairwise"
def pairwise(X, Y):
    xx, yy = np.einsum("ik,ik->i", X, X), np.einsum("jk,jk->j", Y, Y)
    return np.clip(np.add.outer(xx, yy) - 2 * np.dot(X, Y.T), 0, None)


def nearest(X, Y):
    xx, yy = np.einsum("ik,ik->i", X, X), np.einsum("jk,jk->j", Y, Y)
    return np.maximum(np.amin(yy - 2 * np.dot(X, Y.T), axis=1) + xx, 0)

# %% solve="peak"
def peak(X):
    S = X.copy()
    for earlier, row in zip(S, S[1:]):
        row += earlier
    return np.amax(S, axis=0)
