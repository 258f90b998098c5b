# way = "other formulas: ranks by counting, bootstrap by multinomial weights, blocked distances, no state but two rows"

# %% solve="percentile"
def percentile(samples, p):
    ordered = np.sort(np.asarray(samples, dtype=float))
    share = 100 * np.arange(1, len(ordered) + 1)
    return float(ordered[np.argmax(share >= p * len(ordered))])

# %% solve="measure"
def timed(work, clock, batch):
    before = clock()
    for _ in range(batch):
        work()
    return clock() - before


def measure(work, clock, warmup, repeats, batch=1):
    if warmup:
        for _ in range(warmup):
            work()
    return [timed(work, clock, batch) / (batch * 10**9) for _ in range(repeats)]


def batch_size(work, clock, at_least_ns):
    batch = 1
    while timed(work, clock, batch) < at_least_ns:
        batch += batch
    return batch

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    # How often each sample is drawn is multinomial; the mean of a resample is a weighted mean of the samples.
    rng = np.random.Generator(np.random.PCG64(seed))
    a, b = np.array(a, dtype=float), np.array(b, dtype=float)

    def means(values):
        counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
        return np.array([np.average(values, weights=row) for row in counts])

    ratios = means(a) / means(b)
    return percentile(ratios, tail), np.average(a) / np.average(b), percentile(ratios, 100 - tail)

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    enough = [i for i, t in enumerate(np.cumsum(service), 1) if t >= min_seconds and i >= min_queries]
    if not enough:
        raise ValueError("single_stream needs more service times")
    return enough[0], percentile(list(service)[: enough[0]], 90)


def offline(batch_sizes, batch_seconds, workers=1):
    ends = {worker: 0.0 for worker in range(workers)}
    for seconds in batch_seconds:
        ends[min(ends, key=ends.get)] += float(seconds)
    return float(np.sum(batch_sizes)) / max(ends.values())

# %% solve="server"
def latencies(arrivals, service):
    finish = np.zeros(len(arrivals))
    for i in range(len(arrivals)):
        busy_until = finish[i - 1] if i > 0 else arrivals[0]
        finish[i] = (busy_until if busy_until > arrivals[i] else arrivals[i]) + service[i]
    return finish - arrivals


def highest_rate(meets, rates):
    best = 0.0
    rest = list(rates)
    while rest:
        half = len(rest) // 2
        if meets(rest[half]):
            best, rest = rest[half], rest[half + 1 :]
        else:
            rest = rest[:half]
    return best


def server(gaps, service, rates, bound):
    gaps = np.asarray(gaps, dtype=float)

    def meets(rate):
        seen = latencies(np.add.accumulate(gaps / rate), service)
        return 100 * np.count_nonzero(seen <= bound) >= 99 * len(seen)

    return highest_rate(meets, rates)

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    if flops * bandwidth < peak * traffic:
        return flops * bandwidth / traffic, "memory"
    return peak, "compute"


def amdahl(fraction, speedup):
    return (1 - fraction + fraction * speedup**-1.0) ** -1.0


def needed(fraction, target):
    share = 1 - target + target * fraction
    return target * fraction / share if share > 0 else math.inf

# %% solve="pairwise"
def pairwise(X, Y):
    D = np.empty((len(X), len(Y)))
    yy = (Y * Y).sum(axis=1)
    for start in range(0, len(X), 128):
        block = X[start : start + 128]
        np.matmul(block, Y.T, out=D[start : start + 128])
        D[start : start + 128] *= -2
        D[start : start + 128] += yy + (block * block).sum(axis=1, keepdims=True)
    return np.where(D > 0, D, 0.0)


def nearest(X, Y):
    return np.array([row.min() for row in pairwise(X, Y)])

# %% solve="peak"
def peak(X):
    total, highest = np.zeros(X.shape[1]), np.full(X.shape[1], -np.inf)
    for t in range(X.shape[0]):
        total = total + X[t]
        highest = np.fmax(highest, total)
    return highest
