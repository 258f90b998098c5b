# %% check="percentile"
def counted_percentile(samples, p):
    """The smallest sample with at least p percent of the samples at or below it: nearest rank, by counting."""
    return min(v for v in samples if 100 * sum(x <= v for x in samples) >= p * len(samples))


for n, p, wanted in ((1, 1, 1), (1, 100, 1), (2, 50, 1), (2, 51, 2), (3, 100, 3), (100, 99, 99), (101, 99, 100), (99, 99, 99), (20, 95, 19)):
    got = float(percentile([float(v) for v in rng.permutation(n) + 1], p))
    assert got == wanted, "percentile: the rank is ceil(p n / 100), counted from 1"
for n, p, wanted in ((25, 28, 7), (50, 14, 7), (100, 14, 14), (75, 68, 51), (100, 56, 56)):
    got = float(percentile(rng.permutation(n) + 1.0, p))
    assert got == wanted, "percentile: multiply p and n before you divide by 100, or the rank is rounded up by one too many"
for n in (2, 5, 10, 37, 100, 143):
    for ties in (False, True):
        samples = rng.normal(size=n) if not ties else rng.integers(-3, 4, size=n).astype(float)
        for p in (1, 10, 50, 90, 99, 100, int(rng.integers(1, 101))):
            got = float(percentile(samples.tolist(), p))
            assert got == counted_percentile(samples.tolist(), p), "percentile: not the nearest-rank sample"
samples = rng.permutation(50) / 7
before = samples.copy()
got = float(percentile(samples, 50))
assert got == 24 / 7, "percentile: wrong for an array"
assert np.array_equal(samples, before), "percentile: it reorders the caller's samples"

# %% check="measure"
def expected_samples(durations, reading, warmup, repeats, batch):
    timed = np.resize(durations, warmup + repeats * batch)[warmup:].reshape(repeats, batch)
    return (timed.sum(axis=1) + reading) / batch / 1e9


for warmup, repeats, batch, reading, start in (
    (0, 1, 1, 0, 0),
    (0, 5, 1, 40, 12345),
    (3, 7, 1, 25, 10**12),
    (1, 4, 8, 50, 10**15),
    (5, 6, 3, 30, 17 * 10**17),
    (2, 20, 2, 0, 17 * 10**17),
):
    durations = [int(d) for d in rng.integers(50, 2000, size=97)]
    durations[:warmup] = [10**6] * warmup
    fake = FakeTime(durations, start, reading)
    got = np.asarray(measure(fake.work, fake.clock, warmup, repeats, batch), dtype=float)
    assert got.shape == (repeats,), "measure: one float for each repeat"
    assert fake.calls == warmup + repeats * batch, "measure: work() is called warmup + repeats * batch times"
    np.testing.assert_allclose(
        got, expected_samples(durations, reading, warmup, repeats, batch), rtol=1e-9, atol=0,
        err_msg="measure: a sample is what lies between two readings of the given clock, over the batch, in seconds, in the order measured (subtract before you convert)",
    )

# %% check="measure-batch"
for durations, reading, at_least_ns, wanted in (
    ([250], 0, 1000, 4),
    ([100], 50, 450, 4),
    ([100], 50, 451, 8),
    ([800] + [100] * 200, 0, 900, 16),
    ([5000] + [10] * 200, 0, 4000, 1),
    ([7], 0, 1000, 256),
):
    fake = FakeTime(durations, int(rng.integers(10**15, 10**18)), reading)
    got = int(batch_size(fake.work, fake.clock, at_least_ns))
    assert got == wanted, "batch_size: the first power of two whose own batch takes at least at_least_ns"
    assert fake.calls == 2 * wanted - 1, "batch_size: one batch for each power of two tried, and nothing after the last"

# %% check="bootstrap-draws"
from itertools import product


def every_ratio(a, b):
    """All n_a^n_a * n_b^n_b equally likely bootstrap ratios, sorted."""
    mean_a, mean_b = (np.array(list(product(x, repeat=len(x)))).mean(axis=1) for x in (a, b))
    return np.sort((mean_a[:, None] / mean_b[None, :]).ravel())


a, b = rng.uniform(1, 9, size=3), rng.uniform(1, 9, size=4)
possible = every_ratio(a, b)
firsts = []
for seed in range(24):
    low, ratio, high = (float(v) for v in bootstrap(a.tolist(), b.tolist(), 1, 10, seed))
    assert low == high, "bootstrap: with one resample both ends are the same ratio"
    assert abs(ratio * b.mean() / a.mean() - 1) < 1e-9, "bootstrap: the middle number is mean(a) / mean(b) of the samples themselves"
    assert np.abs(possible / low - 1).min() < 1e-9, "bootstrap: resample a and b at their own sizes and take the ratio of the means"
    firsts.append(low)
assert len(set(firsts)) > 5, "bootstrap: another seed must give other draws"
for seed in (0, 1, 2, 3):
    first, second = ([float(v) for v in bootstrap(a, b, 40, 5, seed)] for _ in range(2))
    assert first == second, "bootstrap: the same seed must give the same answer"
widths = []
for seed in range(12):
    low, ratio, high = (float(v) for v in bootstrap(a, b, 2, 10, seed))
    assert low <= high, "bootstrap: low is the lower end"
    for end in (low, high):
        assert np.abs(possible / end - 1).min() < 1e-9, "bootstrap: the ends are nearest-rank percentiles, so each is one of the ratios drawn"
    widths.append(high - low)
assert max(widths) > 0, "bootstrap: the resamples must differ from each other"

# %% check="bootstrap"
from itertools import product


def every_ratio(a, b):
    """All n_a^n_a * n_b^n_b equally likely bootstrap ratios, sorted."""
    mean_a, mean_b = (np.array(list(product(x, repeat=len(x)))).mean(axis=1) for x in (a, b))
    return np.sort((mean_a[:, None] / mean_b[None, :]).ravel())


def within_chance(end, ratios, p, resamples):
    """Is `end` a p-quantile that `resamples` honest draws from `ratios` could give (5.5 standard errors of the rank)?"""
    slack = 5.5 * np.sqrt(p * (1 - p) / resamples) + 1 / resamples
    ranks = np.clip(np.array([p - slack, p + slack]) * len(ratios), 0, len(ratios) - 1)
    least, most = ratios[int(ranks[0])], ratios[int(np.ceil(ranks[1]))]
    return least * (1 - 1e-9) <= end <= most * (1 + 1e-9)


same = [1.0, 1.1, 1.3, 2.0]
for shape_a, shape_b, tail, resamples in (
    (same, same, 10, 4000),
    ([1.0, 1.05, 1.1, 1.2, 3.0], [1.0, 1.2, 1.5], 5, 4000),
    ([1.0, 1.3, 1.9], [1.0, 1.02, 1.04, 1.08, 2.5], 10, 4000),
    ([1.0, 1.5, 2.5], [2.0], 20, 4000),
    ([3.0], [1.0, 1.2, 1.7, 2.6], 20, 4000),
    ([1.0, 1.4, 2.0], [1.0, 1.1, 1.3, 1.7], 1, 20000),
):
    scale, order_a, order_b = rng.uniform(0.001, 10), rng.permutation(len(shape_a)), rng.permutation(len(shape_b))
    if shape_a is shape_b:
        order_b = order_a
    a, b = scale * np.array(shape_a)[order_a], scale * np.array(shape_b)[order_b]
    low, ratio, high = (float(v) for v in bootstrap(a, b, resamples, tail, int(rng.integers(2**31))))
    assert abs(ratio * b.mean() / a.mean() - 1) < 1e-9, "bootstrap: the middle number is mean(a) / mean(b)"
    ratios = every_ratio(a, b)
    assert within_chance(low, ratios, tail / 100, resamples), "bootstrap: the lower end is off (both sides resampled? independently? with replacement? `tail` percent at each end?)"
    assert within_chance(high, ratios, 1 - tail / 100, resamples), "bootstrap: the upper end is off (both sides resampled? independently? with replacement? `tail` percent at each end?)"

# %% check="scenarios-stream"
def counted_percentile(samples, p):
    """The smallest sample with at least p percent of the samples at or below it: nearest rank, by counting."""
    return min(v for v in samples if 100 * sum(x <= v for x in samples) >= p * len(samples))


def stream_by_hand(service, min_queries, min_seconds):
    enough = [i for i in range(1, len(service) + 1) if i >= min_queries and np.cumsum(service)[i - 1] >= min_seconds]
    return enough[0], counted_percentile(service[:enough[0]], 90)


for n, by_count in ((1, True), (12, True), (40, False), (150, True), (150, False)):
    service = rng.lognormal(-3, 1, size=n)
    total = np.cumsum(service)
    cut = int(rng.integers(n // 2, n))  # index of the query that ends the run
    min_queries, min_seconds = (cut + 1, float(total[cut] / 3)) if by_count else (max(1, cut // 2), float(total[cut] - service[cut] / 2))
    service[cut + 1:] = 100.0
    queries, p90 = single_stream(service.tolist(), min_queries, min_seconds)
    assert int(queries) == cut + 1, "single_stream: the run ends with the first query at which both minimums are reached"
    assert (int(queries), float(p90)) == stream_by_hand(service.tolist(), min_queries, min_seconds), "single_stream: p90 is over the queries of the run, and only those"
queries, p90 = single_stream(np.array([0.25, 0.5, 0.125, 4.0]), 1, 0.75)
assert (int(queries), float(p90)) == (2, 0.5), "single_stream: exactly min_seconds is enough"
queries, p90 = single_stream([2.0, 1.0], 1, 0.0)
assert (int(queries), float(p90)) == (1, 2.0), "single_stream: one query can be a run"
for service, min_queries, min_seconds in (([0.5, 0.5, 0.5], 4, 1.0), ([0.5, 0.5, 0.5], 2, 1.75)):
    raised = ""
    try:
        single_stream(service, min_queries, min_seconds)
    except ValueError as error:
        raised = "yes"
    assert raised == "yes", "single_stream: a run that never gets long enough raises ValueError"

# %% check="scenarios-offline"
def makespan_by_events(batch_seconds, workers):
    """Event simulation: the clock jumps to the next completion while batches wait."""
    now, running, waiting = 0.0, [], list(batch_seconds)
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(now + waiting.pop(0))
        now = min(running)
        running.remove(now)
    return now


for count, workers in ((1, 1), (1, 4), (9, 1), (3, 5), (10, 2), (40, 3), (60, 8)):
    sizes, seconds = rng.integers(1, 100, size=count), rng.lognormal(0, 1, size=count)
    got = float(offline(sizes.tolist(), seconds.tolist(), workers))
    wanted = sizes.sum() / makespan_by_events(seconds, workers)
    assert abs(got / wanted - 1) < 1e-9, "offline: total samples over the time at which the last batch is done, each batch on the accelerator that is free first"
got = float(offline(np.array([8, 8, 8, 8]), np.array([1.0, 2.0, 4.0, 8.0])))
assert abs(got - 32 / 15) < 1e-9, "offline: one accelerator unless told otherwise"

# %% check="server-queue"
def queue_by_maximum(arrivals, service):
    """finish_i = max over j <= i of (arrival_j + service_j + ... + service_i): no loop carries anything."""
    done = np.concatenate([[0.0], np.cumsum(service)])
    finish = [max(arrivals[j] + done[i + 1] - done[j] for j in range(i + 1)) for i in range(len(arrivals))]
    return np.array(finish) - arrivals


for load, n in ((0.3, 60), (0.8, 120), (1.5, 60)):
    arrivals, service = np.cumsum(rng.exponential(size=n)) / load, rng.exponential(size=n)
    before = arrivals.copy(), service.copy()
    got = np.asarray(latencies(arrivals, service), dtype=float)
    assert got.shape == (n,), "latencies: one number for each query"
    np.testing.assert_allclose(got, queue_by_maximum(arrivals, service), rtol=1e-8, atol=1e-9, err_msg="latencies: start = max(arrival, previous finish); latency = finish - arrival")
    assert np.array_equal(arrivals, before[0]) and np.array_equal(service, before[1]), "latencies: it changes its arguments"
for arrivals, service, wanted in (
    ([5.0], [2.0], [2.0]),
    ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], [1.0, 3.0, 6.0]),
    ([0.0, 100.0, 100.5, 300.0], [1.0, 1.0, 1.0, 7.0], [1.0, 1.0, 1.5, 7.0]),
    ([0.0, 2.0, 4.0], [2.0, 2.0, 2.0], [2.0, 2.0, 2.0]),
):
    got = np.asarray(latencies(arrivals, service), dtype=float)
    assert got.shape == (len(wanted),) and np.allclose(got, wanted), "latencies: equal arrivals wait in order, and an idle server starts at the arrival"

# %% check="server-search"
for n in (1, 2, 3, 4, 7, 8, 31, 200, 1000):
    rates = np.cumsum(rng.uniform(0.5, 3.0, size=n)).tolist()
    for good in sorted({0, 1, n - 1, n, int(rng.integers(0, n + 1))}):  # how many rates meet the bound
        calls = []

        def meets_up_to(rate):
            calls.append(float(rate))
            return calls[-1] in rates[:good]

        got = float(highest_rate(meets_up_to, rates))
        assert got == ([0.0] + rates)[good], "highest_rate: the last rate that meets the bound, 0.0 if none does"
        assert len(calls) <= 2 + math.ceil(math.log2(n + 1)), "highest_rate: too many questions; halve the range with each"

# %% check="server"
def p99_at(rate, gaps, service):
    """Lindley's recursion for the wait, then nearest rank by counting."""
    seen, wait = [service[0]], 0.0
    for i in range(1, len(gaps)):
        wait = max(0.0, wait + service[i - 1] - gaps[i] / rate)
        seen.append(wait + service[i])
    return float(np.sort(seen)[(99 * len(seen) + 99) // 100 - 1])


for n in (150, 230, 310, 405):
    gaps, service = rng.exponential(size=n), rng.lognormal(-4, 0.4, size=n)
    rates = (np.geomspace(0.2, 3.0, 15) / service.mean()).tolist()
    tails = [p99_at(rate, gaps, service) for rate in rates]
    last_good = int(rng.choice([k for k in range(2, 13) if tails[k + 1] > tails[k] * (1 + 1e-6)]))
    got = float(server(gaps, service, rates, (tails[last_good] + tails[last_good + 1]) / 2))
    assert got == rates[last_good], "server: the highest rate whose p99 latency is at most the bound"
# A burst first and a long calm after it: the slow queries are not the last ones.
gaps, service = np.concatenate([np.full(20, 1 / 64), np.full(80, 8.0)]), np.ones(100)
rates = [1 / 512, 1 / 256, 1 / 64, 1 / 16, 1 / 4, 1.0, 2.0]
tails = [p99_at(rate, gaps, service) for rate in rates]
got = float(server(gaps, service, rates, (tails[3] + tails[4]) / 2))
assert got == rates[3], "server: p99 is a percentile of all latencies, sorted by size and not by time"
# One query of a hundred is very slow, and it is the last: p99 doesn't see it, the maximum does.
gaps, service = np.ones(100), np.concatenate([np.full(99, 0.25), [1e6]])
got = float(server(gaps, service, [1.0, 2.0, 4.0, 8.0], 0.25))
assert got == 4.0, "server: p99 of 100 latencies is the 99th smallest, not the largest and nothing in between"
gaps, service = np.ones(100), np.ones(100)
rates = [1 / 4, 1 / 2, 1.0, 2.0]
got = float(server(gaps, service, rates, 0.5))
assert got == 0.0, "server: 0.0 if no rate meets the bound"
got = float(server(gaps, service, rates, 1000.0))
assert got == 2.0, "server: the last rate if all meet the bound"

# %% check="roofline"
for _ in range(20):
    peak, bandwidth = 10 ** rng.uniform(9, 14), 10 ** rng.uniform(9, 12)
    for side, wanted in ((rng.uniform(0.01, 0.9), "memory"), (rng.uniform(1.1, 100), "compute")):
        traffic = 10 ** rng.uniform(2, 9)
        flops = side * peak / bandwidth * traffic
        attainable, limit = roofline(float(flops), float(traffic), float(peak), float(bandwidth))
        assert abs(float(attainable) / (peak * min(1.0, side)) - 1) < 1e-9, "roofline: attainable is min(P, I B) in FLOP/s with I = FLOP / bytes"
        assert limit == wanted, "roofline: memory below the ridge P / B, compute above"
attainable, limit = roofline(64.0, 8.0, 2.0**40, 2.0**37)
assert float(attainable) == 2.0**40 and limit == "compute", "roofline: the ridge point itself counts as compute"

# %% check="roofline-amdahl"
for f, s in ((0.0, 8.0), (0.0, math.inf), (0.5, 1.0), (0.5, 0.5), (0.75, math.inf), (0.9, 1e9)):
    left = (1 - f) + (0.0 if s == math.inf else f / s)
    assert abs(float(amdahl(f, s)) * left - 1) < 1e-9, "amdahl: the time left is (1 - f) + f / s"
for f, s in zip(rng.uniform(0.05, 0.99, size=20), rng.uniform(1.5, 50, size=20)):
    before = 100.0  # seconds, of which f is sped up
    after = before - before * f + before * f / s
    assert abs(float(amdahl(float(f), float(s))) - before / after) < 1e-9 * before / after, "amdahl: f is the part that gets faster"

# %% check="roofline-needed"
for f, s in zip(rng.uniform(0.05, 0.95, size=20), rng.uniform(1.1, 40, size=20)):
    target = 1 / (1 - f * (1 - 1 / s))
    assert abs(float(needed(float(f), float(target))) / s - 1) < 1e-6, "needed: the inverse of Amdahl's law"
for f, target in ((0.5, 2.0), (0.5, 3.0), (0.75, 5.0), (0.25, 100.0)):
    assert float(needed(f, target)) == math.inf, "needed: math.inf if even an infinite speed-up of the fraction is not enough"
assert abs(float(needed(0.25, 1.0)) - 1) < 1e-9, "needed: target 1 needs no speed-up"

# %% check="pairwise"
import torch


def distances_by_torch(X, Y):
    d = torch.from_numpy(X)[:, None, :] - torch.from_numpy(Y)[None, :, :]
    return (d * d).sum(dim=-1).numpy()


same = rng.normal(size=(90, 12)) + 1000.0
for X, Y in (
    (rng.normal(size=(1, 1)), rng.normal(size=(1, 1))),
    (rng.normal(size=(1, 7)), rng.normal(size=(5, 7))),
    (rng.normal(size=(6, 3)), rng.normal(size=(1, 3))),
    (rng.normal(size=(40, 64)), rng.normal(size=(30, 64))),
    (rng.normal(size=(9, 9)), rng.normal(size=(9, 9))),
    (1e-4 * rng.normal(size=(20, 5)), 1e4 * rng.normal(size=(25, 5))),
    (same, same[::-1].copy()),
):
    before = X.copy(), Y.copy()
    D = np.asarray(pairwise(X, Y))
    assert D.shape == (len(X), len(Y)), "pairwise: the result has shape (n, m)"
    assert D.dtype == np.float64, "pairwise: the result is float64"
    assert np.array_equal(X, before[0]) and np.array_equal(Y, before[1]), "pairwise: it changes its arguments"
    assert not np.isnan(D).any() and D.min() >= 0, "pairwise: rounding left negative squares"
    room = 1e-10 * ((X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1)[None, :])
    exact = distances_by_torch(X, Y)
    assert (np.abs(D - exact) <= room).all(), "pairwise: not the squared distances (or not to float64 precision)"
    closest = np.asarray(nearest(X, Y))
    assert closest.shape == (len(X),) and closest.dtype == np.float64, "nearest: one float64 for each row of X"
    assert (np.abs(closest - exact.min(axis=1)) <= room.max(axis=1)).all(), "nearest: the minimum over the rows of Y"
    assert closest.min() >= 0, "nearest: rounding left negative squares"
    assert np.array_equal(X, before[0]) and np.array_equal(Y, before[1]), "nearest: it changes its arguments"

# %% check="pairwise-speed"
race(nearest, lambda rng: (rng.normal(size=(200, 256)), rng.normal(size=(150, 256))), bands={0.12: 5, 0.5: 9})

# %% check="peak"
import torch

below = -rng.uniform(0.1, 2.0, size=(12, 5))  # every sum negative, the first one the highest
for X in (
    below,
    -below,
    rng.uniform(-2, 2, size=(1, 1)),
    rng.uniform(-2, 2, size=(1, 6)),
    rng.uniform(-2, 2, size=(9, 1)),
    rng.uniform(-2, 2, size=(2, 3)),
    rng.uniform(-2, 2, size=(64, 33)),
    rng.uniform(-2, 2, size=(5, 700)),
):
    before = X.copy()
    got = np.asarray(peak(X))
    assert got.shape == X.shape[1:], "peak: one number for each column"
    assert got.dtype == np.float64, "peak: the result is float64"
    assert np.array_equal(X, before), "peak: it writes into its argument"
    wanted = torch.cumsum(torch.from_numpy(before), dim=0).max(dim=0).values.numpy()
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-9, err_msg="peak: the highest of the T running sums of each column")

# %% check="peak-speed"
race(peak, lambda rng: (rng.random((128, 2048)) - 0.5,), bands={0.03: 3, 0.5: 8})
