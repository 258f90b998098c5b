# way = "the standard library and plain lists: heapq, bisect by hand, random.choices, statistics; numpy only in the races"

# %% solve="percentile"
import heapq
import random
import statistics


def percentile(samples, p):
    rank, rest = divmod(p * len(samples), 100)
    return float(heapq.nsmallest(rank + (rest > 0), samples)[-1])

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    def calls(count):
        while count:
            work()
            count -= 1

    calls(warmup)
    samples = []
    while len(samples) < repeats:
        start = clock()
        calls(batch)
        samples.append((clock() - start) / batch / 1_000_000_000)
    return samples


def batch_size(work, clock, at_least_ns, batch=1):
    start = clock()
    for _ in range(batch):
        work()
    stop = clock()
    return batch if stop - start >= at_least_ns else batch_size(work, clock, at_least_ns, 2 * batch)

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    generator = random.Random(seed)
    a, b = [float(v) for v in a], [float(v) for v in b]

    def mean_of_resample(values):
        return sum(generator.choices(values, k=len(values))) / len(values)

    ratios = [mean_of_resample(a) / mean_of_resample(b) for _ in range(resamples)]
    return [percentile(ratios, tail), statistics.fmean(a) / statistics.fmean(b), percentile(ratios, 100 - tail)]

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    answered, now = [], 0.0
    upcoming = iter(service)
    while len(answered) < min_queries or now < min_seconds:
        try:
            latency = next(upcoming)
        except StopIteration:
            raise ValueError("no more queries") from None
        now += latency
        answered.append(latency)
    return len(answered), percentile(answered, 90)


def offline(batch_sizes, batch_seconds, workers=1):
    free_at = [0.0] * workers
    last = 0.0
    for seconds in batch_seconds:
        done = heapq.heappop(free_at) + seconds
        heapq.heappush(free_at, done)
        last = max(last, done)
    return sum(batch_sizes) / last

# %% solve="server"
def latencies(arrivals, service):
    # Lindley: the next wait is this wait plus this service less the gap, never below zero.
    result, wait = [], 0.0
    for i in range(len(arrivals)):
        if i:
            wait = max(0.0, wait + service[i - 1] - (arrivals[i] - arrivals[i - 1]))
        result.append(wait + service[i])
    return result


def highest_rate(meets, rates):
    if not meets(rates[0]):
        return 0.0
    good, bad = 0, len(rates)
    while bad - good > 1:
        middle = good + (bad - good) // 2
        good, bad = (middle, bad) if meets(rates[middle]) else (good, middle)
    return rates[good]


def server(gaps, service, rates, bound):
    def meets(rate):
        now, arrivals = 0.0, []
        for gap in gaps:
            now += gap / rate
            arrivals.append(now)
        return percentile(latencies(arrivals, service), 99) <= bound

    return highest_rate(meets, rates)

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    seconds = max(flops / peak, traffic / bandwidth)
    return flops / seconds, "memory" if traffic / bandwidth > flops / peak else "compute"


def amdahl(fraction, speedup):
    before = 1.0
    after = before - fraction * before
    after += fraction * before / speedup
    return before / after


def needed(fraction, target):
    allowed = 1.0 / target
    for_the_fraction = allowed - (1.0 - fraction)
    return float("inf") if for_the_fraction <= 0 else fraction / for_the_fraction

# %% solve="pairwise"
def pairwise(X, Y):
    # One product of longer rows: (-2x, |x|^2, 1) times (y, 1, |y|^2).
    left = np.concatenate([-2 * X, (X**2).sum(1, keepdims=True), np.ones((len(X), 1))], axis=1)
    right = np.concatenate([Y, np.ones((len(Y), 1)), (Y**2).sum(1, keepdims=True)], axis=1)
    D = left @ right.T
    D[D < 0] = 0
    return D


def nearest(X, Y):
    return np.min(pairwise(X, Y), axis=-1)

# %% solve="peak"
import functools
import itertools


def peak(X):
    totals = itertools.accumulate(X)
    return functools.reduce(np.maximum, totals)
