# %% solve="percentile"
def percentile(samples, p):
    ordered = sorted(samples)
    rank = -(-p * len(ordered) // 100)
    return float(ordered[rank - 1])

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        before = clock()
        for _ in range(batch):
            work()
        after = clock()
        samples.append((after - before) * 1e-9 / batch)
    return samples


def batch_size(work, clock, at_least_ns):
    batch = 1
    while True:
        before = clock()
        for _ in range(batch):
            work()
        if clock() - before >= at_least_ns:
            return batch
        batch *= 2

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    rng = np.random.default_rng(seed)
    mean_a = rng.choice(a, size=(resamples, len(a))).mean(axis=1)
    mean_b = rng.choice(b, size=(resamples, len(b))).mean(axis=1)
    ratios = mean_a / mean_b
    return percentile(ratios, tail), float(a.mean() / b.mean()), percentile(ratios, 100 - tail)

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    passed = 0.0
    for queries, seconds in enumerate(service, start=1):
        passed += seconds
        if queries >= min_queries and passed >= min_seconds:
            return queries, percentile(service[:queries], 90)
    raise ValueError("single_stream: the service times end before the run is long enough")


def offline(batch_sizes, batch_seconds, workers=1):
    free_at = [0.0] * workers
    for seconds in batch_seconds:
        first = free_at.index(min(free_at))
        free_at[first] += seconds
    return float(sum(batch_sizes) / max(free_at))

# %% solve="server"
def latencies(arrivals, service):
    result = np.empty(len(arrivals))
    finish = -math.inf
    for i, (arrival, seconds) in enumerate(zip(arrivals, service)):
        finish = max(arrival, finish) + seconds
        result[i] = finish - arrival
    return result


def highest_rate(meets, rates):
    low, high = 0, len(rates)  # rates[:low] meet the bound, rates[high:] don't
    while low < high:
        middle = (low + high) // 2
        if meets(rates[middle]):
            low = middle + 1
        else:
            high = middle
    return float(rates[low - 1]) if low else 0.0


def server(gaps, service, rates, bound):
    at_rate_one = np.cumsum(gaps)

    def meets(rate):
        return percentile(latencies(at_rate_one / rate, service), 99) <= bound

    return highest_rate(meets, rates)

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    fed = flops / traffic * bandwidth
    return min(peak, fed), "compute" if fed >= peak else "memory"


def amdahl(fraction, speedup):
    return 1 / ((1 - fraction) + fraction / speedup)


def needed(fraction, target):
    left = 1 / target - (1 - fraction)
    return fraction / left if left > 0 else math.inf

# %% solve="pairwise"
def pairwise(X, Y):
    xx, yy = np.sum(X * X, axis=1), np.sum(Y * Y, axis=1)
    return np.maximum(xx[:, None] + yy - 2 * X @ Y.T, 0)


def nearest(X, Y):
    return pairwise(X, Y).min(axis=1)

# %% solve="peak"
def peak(X):
    total = X[0].copy()
    highest = total.copy()
    for row in X[1:]:
        total += row
        np.maximum(highest, total, out=highest)
    return highest
