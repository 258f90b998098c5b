# %% [markdown]
# # Benchmarking: correctness and speed
#
# "It is twice as fast." Twice as fast as what, on which inputs, timed by which clock, how often, and how sure
# are you? In this notebook you build the instruments that make such a sentence mean something, one on top of
# the other:
#
# | | question | what it gives you | points |
# |---|---|---|---|
# | 1 | `percentile` | a number for "slow, but not unusually slow" | 10 |
# | 2 | `measure` | honest samples of a running time | 12 |
# | 3 | `bootstrap` | an error bar on a speed-up | 14 |
# | 4 | `scenarios` | two kinds of load: one query at a time, and everything at once | 12 |
# | 5 | `server` | the third kind: queries that arrive when they like | 16 |
# | 6 | `roofline` | how fast it could be at best | 10 |
# | 7 | `pairwise` | a race: turn loops into one matrix product | 14 |
# | 8 | `peak` | a race: walk memory in the order in which it lies | 12 |
#
# **Conventions.** Times are in seconds (s) unless a name ends in `_ns` (whole nanoseconds,
# $1\,\text{ns} = 10^{-9}$ s); rates are in queries per second (1/s); arithmetic speed is in FLOP/s and memory
# speed in bytes/s. "Array" means a numpy array of `float64`; where a function takes a sequence of numbers it
# must accept a list and an array alike. A function never changes what it was given. Where a function returns
# several values it returns them as a tuple, in the order stated.
#
# Later questions use your earlier functions, so get each one right before you go on. Python and numpy are all
# you need, and all you have.

# %%
import math
import time

import numpy as np

# %% [markdown]
# ## 1. Percentiles
#
# Ten answers of a model took, in milliseconds, `12 15 11 14 13 90 12 16 13 14`. Their mean is 21 ms, and not
# one query took anything like 21 ms: nine were faster, one was four times slower. Latencies have long tails,
# and users remember the tail, so services promise *percentiles*: "p90 is at most 20 ms" says that at least
# 90 % of the queries were answered within 20 ms.
#
# There are more than nine definitions of a percentile in use, most of which blend two neighbouring samples
# into a value that was never observed. Benchmarks prefer the **nearest rank**, which is always one of the
# samples. Sort the $n \ge 1$ samples, $x_{(1)} \le x_{(2)} \le \dots \le x_{(n)}$; then for a whole number
# $p$ with $1 \le p \le 100$
#
# $$\mathrm{percentile}(x, p) = x_{(k)}, \qquad k = \left\lceil \frac{p\,n}{100} \right\rceil .$$
#
# The rank $k$ counts from 1. In the example, sorted `11 12 12 13 13 14 14 15 16 90`:
#
# | | $pn/100$ | $k$ | value |
# |---|---|---|---|
# | p50 | 5 | 5 | 13 ms |
# | p90 | 9 | 9 | 16 ms |
# | p99 | 9.9 | 10 | 90 ms |
#
# Two remarks. With fewer than 100 samples p99 is simply the maximum: a claim about p99 needs at least
# hundreds of samples. And the rank must be *exact*: `7 / 100 * 100` is `7.000000000000001` in floating point,
# whose ceiling is 8, not 7. (numpy's own `method="inverted_cdf"` follows the nearest-rank rule, and falls
# into exactly this hole for some $p$ and $n$.) Both $p$ and $n$ are whole numbers, so nothing forces you to
# divide first.

# %% solve="percentile"
def percentile(samples, p):
    r"""The p-th percentile by nearest rank.

    samples: sequence of n >= 1 numbers, in any order; it is left as it is
    p:       whole number, 1 <= p <= 100
    returns: x_(k), the k-th smallest sample, k = ceil(p n / 100) counted from 1, as a float
    """
    raise NotImplementedError("percentile: sort a copy and pick the k-th smallest")

# %% check="percentile" points=10
milliseconds = [12, 15, 11, 14, 13, 90, 12, 16, 13, 14]
assert float(percentile(milliseconds, 50)) == 13.0, "p50 of ten samples is the 5th smallest"
assert float(percentile(milliseconds, 90)) == 16.0, "p90 of ten samples is the 9th smallest"
assert float(percentile(milliseconds, 99)) == 90.0, "p99 of ten samples is the 10th smallest: round the rank up"
assert float(percentile([7.5], 1)) == 7.5, "one sample is every percentile"
assert float(percentile(list(range(1, 101)), 7)) == 7.0, "p n / 100 is exactly 7 here; is your rank?"

# %% [markdown]
# ## 2. A timing harness
#
# To time a piece of work you read a clock, do the work, and read the clock again. Four things go wrong:
#
# * **The wrong clock.** `time.time()` is the wall clock: it is corrected over the network and may jump, even
#   backwards. A duration needs a *monotonic* clock such as `time.perf_counter_ns`, which counts nanoseconds
#   from an arbitrary moment. Its readings are huge whole numbers. **Subtract the readings while they are
#   whole numbers**: near $10^{18}$ ns neighbouring floats are 128 ns apart.
# * **Cold starts.** The first calls fill caches, load libraries, compile. Unless cold starts are the
#   question, make some *warm-up* calls that are not timed.
# * **One sample.** Other programs interrupt yours. Take many samples and keep them all; question 1 sums them
#   up.
# * **A clock that costs as much as the work.** Reading a clock takes about 50 ns and its ticks may be coarser
#   still. If the work takes 100 ns, do it many times between two readings (a *batch*) and divide.
#
# Write `measure`. After `warmup` calls of `work()` it takes `repeats` samples. For each: read the clock once,
# call `work()` exactly `batch` times, read the clock once more. The sample is
#
# $$ \text{sample} = \frac{(t_\text{after} - t_\text{before}) \cdot 10^{-9}}{\text{batch}} \quad\text{seconds per call.} $$
#
# The clock is a *parameter*, a function without arguments that returns whole nanoseconds. That is not only
# good style: it means that your harness can be tested with a clock that a test moves by hand, as the check
# below does. There the work takes exactly as long as the test says.
#
# Then `batch_size`, which finds a batch long enough to be timed. For $b = 1, 2, 4, 8, \dots$ it times one
# batch of $b$ calls (clock, $b$ calls, clock) and returns the first $b$ whose batch took **at least**
# `at_least_ns` nanoseconds. It stops there: no further call of `work`.
#
# In a scratch cell of your own, try `measure(lambda: sum(range(1000)), time.perf_counter_ns, 3, 20, 100)`.
# How much do the 20 numbers differ?

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    r"""Time work().

    work:    function without arguments; called warmup + repeats * batch times in all
    clock:   function without arguments that returns a whole number of nanoseconds, monotonic
    warmup:  number of untimed calls at the start, >= 0
    repeats: number of samples, >= 1
    batch:   calls of work() between the two clock readings of a sample, >= 1
    returns: list of `repeats` floats in the order measured, each in seconds per call
    """
    raise NotImplementedError("measure: warm up, then take the samples")


def batch_size(work, clock, at_least_ns):
    r"""The smallest power of two b for which a batch of b calls takes at least at_least_ns nanoseconds.

    Tries b = 1, 2, 4, ... in this order, one batch each: read clock, call work() b times, read clock.
    returns: b as an int
    """
    raise NotImplementedError("batch_size: double the batch until it takes long enough")

# %% check="measure" points=8
class FakeTime:
    """A clock that stands still except while work is done (`durations` in ns, one a call) and while it is read (`reading` ns)."""

    def __init__(self, durations, start=0, reading=0):
        self.now, self.durations, self.reading, self.calls = start, durations, reading, 0

    def clock(self):
        seen = self.now
        self.now += self.reading
        return seen

    def work(self):
        self.now += self.durations[self.calls % len(self.durations)]
        self.calls += 1


fake = FakeTime([9000, 9000, 100, 200, 300, 400])
seconds = np.asarray(measure(fake.work, fake.clock, 2, 4), dtype=float)
assert seconds.shape == (4,), "one sample for each repeat, none for the warm-up"
np.testing.assert_allclose(seconds, [100e-9, 200e-9, 300e-9, 400e-9], rtol=1e-9, atol=0, err_msg="after two warm-up calls of 9000 ns the work took 100, 200, 300, 400 ns")
assert fake.calls == 6, "work() is called warmup + repeats * batch times"

fake = FakeTime([100, 200, 300, 400], reading=60)
seconds = np.asarray(measure(fake.work, fake.clock, 0, 2, 2), dtype=float)
np.testing.assert_allclose(seconds, [180e-9, 380e-9], rtol=1e-9, atol=0, err_msg="two calls and one reading of 60 ns lie between the readings of a sample; divide by the batch")

# %% check="measure-batch" points=4
fake = FakeTime([100])
assert int(batch_size(fake.work, fake.clock, 100)) == 1, "a batch that takes exactly at_least_ns is long enough"
fake = FakeTime([100])
assert int(batch_size(fake.work, fake.clock, 1000)) == 16, "8 calls take 800 ns, 16 take 1600 ns"
assert fake.calls == 31, "one batch each of 1, 2, 4, 8 and 16 calls"

# %% [markdown]
# ## 3. How sure are you?
#
# You timed the old program ($a$: $n_a$ samples) and the new one ($b$: $n_b$ samples). The speed-up is the
# ratio of the means,
#
# $$ \rho = \frac{\bar a}{\bar b}, \qquad \bar a = \frac1{n_a}\sum_i a_i ,$$
#
# and it would come out a little different if you measured again. How different? Textbook formulas want
# bell-shaped data, which running times are not. The **bootstrap** wants nothing but a random generator. It
# pretends that the samples *are* the population, and measures again inside the computer:
#
# 1. draw $n_a$ values from $a$ **with replacement** (each draw is any of the $n_a$ samples with equal chance,
#    whatever was drawn before);
# 2. independently of that, draw $n_b$ values from $b$, with replacement too;
# 3. note the ratio of the two means, $\rho^* = \overline{a^*} / \overline{b^*}$.
#
# Do this `resamples` times. The ratios $\rho^*$ scatter around $\rho$ about as much as $\rho$ itself scatters
# around the truth, so the interval that cuts off `tail` percent at either end is an interval for the truth
# with confidence $100 - 2\cdot\mathtt{tail}$ percent:
#
# $$ \text{low} = \mathrm{percentile}(\rho^*, \mathtt{tail}), \qquad \text{high} = \mathrm{percentile}(\rho^*, 100 - \mathtt{tail}) $$
#
# with *your* nearest-rank `percentile`. If low is above 1, the new program is faster, and you may say so.
#
# A small case by hand: $a = (2)$ and $b = (1, 2)$. The mean of $a^*$ is always 2; the mean of $b^*$ is 1, 1.5
# or 2 with chances ¼, ½, ¼. So $\rho^*$ is 1, 4/3 or 2 with the same chances, and with enough resamples
# `tail=10` gives (1, 4/3, 2), `tail=40` gives (4/3, 4/3, 4/3). (The middle number, $\rho = 2 / 1.5$, comes
# from the samples themselves.)
#
# **Reproducible.** All randomness comes from one generator that you make inside the function from `seed` (for
# example `np.random.default_rng(seed)`): the same arguments give the same answer, another seed gives other
# draws. Which generator you use and in which order you draw is up to you: the check accepts every correct
# bootstrap, and knows the exact distribution of $\rho^*$, since it goes through all resamples of a few
# samples one by one.

# %% solve="bootstrap"
def bootstrap(a, b, resamples, tail, seed):
    r"""Speed-up mean(a) / mean(b) with its bootstrap percentile interval.

    a, b:      sequences of n_a >= 1 and n_b >= 1 positive times in seconds (not paired, n_a and n_b may differ)
    resamples: number R >= 1 of bootstrap ratios
    tail:      whole number of percent cut off at each end, 1 <= tail < 50
    seed:      whole number >= 0 from which the random generator is made
    returns:   (low, ratio, high), three floats: ratio = mean(a) / mean(b) of the samples themselves,
               low and high the nearest-rank percentiles tail and 100 - tail of the R ratios
    """
    raise NotImplementedError("bootstrap: draw from a and from b, with replacement, `resamples` times")

# %% check="bootstrap-draws" points=4
low, ratio, high = (float(v) for v in bootstrap([3.0], [2.0], 50, 5, 1))
assert (low, ratio, high) == (1.5, 1.5, 1.5), "with one sample on each side there is nothing to vary"
low, ratio, high = (float(v) for v in bootstrap([2.0, 3.0, 4.0, 9.0], [1.0, 2.0], 1, 5, 1))
assert abs(ratio - 3.0) < 1e-12, "the ratio is mean(a) / mean(b) of the samples themselves"
assert low == high, "with one resample both ends are that resample's ratio"

# %% check="bootstrap" points=10
low, ratio, high = (float(v) for v in bootstrap([2.0], [1.0, 2.0], 2000, 10, 7))
np.testing.assert_allclose([low, ratio, high], [1.0, 4 / 3, 2.0], err_msg="a = (2), b = (1, 2), tail = 10")
low, ratio, high = (float(v) for v in bootstrap([2.0], [1.0, 2.0], 2000, 40, 7))
np.testing.assert_allclose([low, ratio, high], [4 / 3, 4 / 3, 4 / 3], err_msg="a = (2), b = (1, 2), tail = 40")

# %% [markdown]
# ## 4. Scenarios: one at a time, and all at once
#
# The same model is "fast" in different ways for a phone, a web service and a nightly job. MLPerf Inference
# therefore fixes *scenarios*: each says how queries arrive and which number is reported. Two of them are
# simple. (The rules here are simplified and stated in full.)
#
# **Single stream.** The sender sends the next query at the moment when the last one is answered, as a camera
# app does. What counts is the latency: p90 of all queries sent. A run must be long enough in two ways: it
# ends with the first query after which **both**
#
# * at least `min_queries` queries have been answered, and
# * at least `min_seconds` seconds have passed since the start.
#
# With service times 0.5, 0.25, 0.25, 1, 0.5, … s, `min_queries=2`, `min_seconds=1`: after two queries only
# 0.75 s have passed; after three, 1 s. So the run has three queries, and its p90 is the largest of their
# latencies, 0.5 s. If the given service times end before both conditions hold, the run is invalid: raise a
# `ValueError`.
#
# **Offline.** All the data is there from the start, in batches, and only the *throughput* counts: total
# samples divided by the total time until the last batch is done. On one accelerator that is
# $\sum_i n_i / \sum_i t_i$ for batches of $n_i$ samples that take $t_i$ s. It is **not** the mean of the
# rates $n_i/t_i$: 100 samples in 1 s and 100 samples in 4 s are 200 samples in 5 s, 40 a second, though the
# rates 100 and 25 have the mean 62.5.
#
# With `workers` equal accelerators the batches stay in the given order and each goes to the accelerator that
# is free first (at the start all are free, at time 0; if several are free, to any of them). The total time is
# the moment when the last accelerator finishes.

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    r"""Run the single-stream scenario on given service times.

    service:     sequence of service times in s, query after query
    min_queries: whole number >= 1
    min_seconds: seconds that the run must last at least
    returns:     (queries, p90): the number of queries sent (int) and the nearest-rank 90th percentile
                 of their latencies in s
    raises:      ValueError if the service times end before the run is long enough
    """
    raise NotImplementedError("single_stream: send queries until both minimums are reached")


def offline(batch_sizes, batch_seconds, workers=1):
    r"""Throughput of the offline scenario.

    batch_sizes:   samples in each batch, whole numbers >= 1, shape (B,), B >= 1
    batch_seconds: seconds that each batch takes on any accelerator, shape (B,)
    workers:       number of equal accelerators, >= 1
    returns:       samples per second (1/s), as a float
    """
    raise NotImplementedError("offline: total samples over the time at which the last batch is done")

# %% check="scenarios-stream" points=7
queries, p90 = single_stream([0.5, 0.25, 0.25, 1.0, 0.5], 2, 1.0)
assert int(queries) == 3, "after two queries only 0.75 s have passed; after three exactly 1 s, which is enough"
assert float(p90) == 0.5, "p90 of the three queries of the run, not of all the service times given"
queries, p90 = single_stream([0.5, 0.25, 0.25, 1.0, 0.5], 5, 1.0)
assert int(queries) == 5 and float(p90) == 1.0, "both minimums must hold"
try:
    single_stream([0.5, 0.25], 2, 1.0)
except ValueError:
    pass
else:
    raise AssertionError("a run that is too short must raise ValueError")

# %% check="scenarios-offline" points=5
assert abs(float(offline([100, 100], [1.0, 4.0])) - 40.0) < 1e-9, "total samples over total seconds"
assert abs(float(offline([100, 100], [1.0, 4.0], 2)) - 50.0) < 1e-9, "two accelerators: done after 4 s"
assert abs(float(offline([10, 10, 10], [3.0, 1.0, 1.0], 2)) - 10.0) < 1e-9, "the third batch goes to the accelerator that is free at 1 s"

# %% [markdown]
# ## 5. Scenario: server
#
# A web service cannot choose when queries come. In MLPerf's server scenario they arrive at random at a given
# rate $\lambda$, as a *Poisson process*: the gaps between arrivals are independent and exponentially
# distributed with mean $1/\lambda$. One server answers them first come, first served. A query that finds the
# server busy **waits**, and its latency counts from its **arrival**:
#
# $$ \text{start}_i = \max(\text{arrival}_i,\ \text{finish}_{i-1}), \qquad \text{finish}_i = \text{start}_i + \text{service}_i, \qquad \text{latency}_i = \text{finish}_i - \text{arrival}_i $$
#
# with $\text{finish}_0 = -\infty$: the server is idle at first.
#
# <figure>
# <img width="560" alt="Timeline of four queries on one server: latency is waiting plus service" src="data:image/svg+xml;charset=utf-8,
#  <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 560 150' font-family='sans-serif' font-size='12'>
#  <rect width='560' height='150' fill='white'/>
#  <g stroke='silver'><path d='M60 20V120 M100 20V120 M140 20V120 M180 20V120 M220 20V120 M260 20V120 M300 20V120 M460 20V120 M500 20V120'/></g>
#  <g fill='steelblue'><rect x='60' y='24' width='120' height='16'/><rect x='180' y='48' width='40' height='16'/><rect x='220' y='72' width='80' height='16'/><rect x='460' y='96' width='40' height='16'/></g>
#  <g fill='moccasin' stroke='darkorange'><rect x='100' y='48' width='80' height='16'/><rect x='140' y='72' width='80' height='16'/></g>
#  <g fill='black'><text x='8' y='36'>query 1</text><text x='8' y='60'>query 2</text><text x='8' y='84'>query 3</text><text x='8' y='108'>query 4</text>
#  <text x='57' y='138'>0</text><text x='97' y='138'>1</text><text x='137' y='138'>2</text><text x='177' y='138'>3</text><text x='217' y='138'>4</text><text x='297' y='138'>6</text><text x='454' y='138'>10</text><text x='494' y='138'>11</text>
#  <text x='190' y='36'>latency 3</text><text x='230' y='60'>latency 3 = 2 waiting + 1</text><text x='310' y='84'>latency 4 = 2 waiting + 2</text><text x='396' y='108'>latency 1</text></g>
#  </svg>">
# </figure>
#
# *Arrivals 0, 1, 2, 10 s and service times 3, 1, 2, 1 s: the server (blue) starts at 0, 3, 4, 10 s, finishes
# at 3, 4, 6, 11 s, and the latencies are 3, 3, 4, 1 s. Orange is waiting.*
#
# Why it matters: if each answer takes $S$ seconds, the server is busy a fraction $u = \lambda S$ of the time,
# and the mean wait is $\frac{u}{2(1-u)} S$. That is half a service time at $u = 0.5$, 4.5 at $u = 0.9$ and
# 49.5 at $u = 0.99$. A benchmark that sends the next query only when the last one is answered never sees this
# queue, and reports a latency no user will get.
#
# The scenario's result is the **highest rate whose p99 latency meets a bound**. Three functions:
#
# * `latencies(arrivals, service)`, the queue above.
# * `highest_rate(meets, rates)`. `rates` is sorted, smallest first, and `meets(rate)` says whether a rate
#   meets the bound: true up to some rate, false for every higher one. Each question is a whole benchmark run,
#   so ask few: find the highest rate that meets it by *bisection*, in at most $2 + \lceil \log_2(n+1) \rceil$
#   calls of `meets` for $n$ rates (12 calls for 1000 rates, not 1000). If none meets it, return `0.0`.
# * `server(gaps, service, rates, bound)` puts them together. `gaps` are random gaps with mean 1. At rate
#   $\lambda$ the same gaps are divided by $\lambda$, so the $i$-th query arrives at
#   $$ \text{arrival}_i = \frac{1}{\lambda}\sum_{j \le i} \text{gap}_j . $$
# A rate meets the bound if the p99 of all latencies (nearest rank) is **at most** `bound`. Since the same
# gaps are only stretched, a lower rate never makes any query wait longer, and bisection is allowed.

# %% solve="server"
def latencies(arrivals, service):
    r"""First-come-first-served queue in front of one server.

    arrivals: arrival times in s, shape (n,), n >= 1, never decreasing (equal arrivals are served in the order given)
    service:  service times in s, shape (n,)
    returns:  array of shape (n,): finish - arrival of each query in s, in order of arrival
    """
    raise NotImplementedError("latencies: a query starts when it has arrived and the server is free")


def highest_rate(meets, rates):
    r"""The highest of the rates for which meets(rate) is true, by bisection.

    meets:   function of one rate (float) that returns a bool: true up to some rate, false beyond
    rates:   sequence of n >= 1 rates in 1/s, increasing
    returns: that rate as a float, 0.0 if meets is false for all
    """
    raise NotImplementedError("highest_rate: halve the range of candidates with each call of meets")


def server(gaps, service, rates, bound):
    r"""The highest rate at which the p99 latency is at most `bound`.

    gaps:    gaps between arrivals in units of the mean gap, shape (n,); at rate r the i-th query arrives
             at (gaps[0] + ... + gaps[i]) / r
    service: service times in s, shape (n,)
    rates:   candidate rates in 1/s, increasing
    bound:   upper bound for the 99th percentile (nearest rank) of the latencies, in s
    returns: the highest candidate that meets the bound as a float, 0.0 if none does
    """
    raise NotImplementedError("server: highest_rate of the rates whose p99 latency meets the bound")

# %% check="server-queue" points=7
np.testing.assert_allclose(np.asarray(latencies([0.0, 1.0, 2.0, 10.0], [3.0, 1.0, 2.0, 1.0])), [3.0, 3.0, 4.0, 1.0], err_msg="the example in the figure")

# %% check="server-search" points=4
asked = []


def at_most_35(rate):
    asked.append(float(rate))
    return asked[-1] <= 35


assert float(highest_rate(at_most_35, [10.0, 20.0, 30.0, 40.0, 50.0])) == 30.0, "30 meets the bound, 40 does not"
assert len(asked) <= 5, "five rates need at most 2 + 3 questions"
assert float(highest_rate(at_most_35, [40.0, 50.0])) == 0.0, "0.0 if no rate meets the bound"
assert float(highest_rate(at_most_35, [10.0, 20.0])) == 20.0, "the last rate if all meet the bound"

# %% check="server" points=5
# One query each time unit, half a second of service: no queue up to 2 queries a second, and an ever longer one above.
regular = np.ones(200)
assert float(server(regular, np.full(200, 0.5), [0.5, 1.0, 2.0, 4.0, 8.0], 0.5)) == 2.0, "a p99 of exactly the bound meets it"
assert float(server(regular, np.full(200, 0.5), [0.5, 1.0, 2.0, 4.0, 8.0], 0.25)) == 0.0, "0.0 if no rate meets the bound"

# %% [markdown]
# ## 6. How fast could it be?
#
# A measured speed means little until you know what the machine allows. Two laws on the back of an envelope:
#
# **Roofline.** A kernel does $W$ floating-point operations (FLOP) and moves $Q$ bytes between memory and
# processor. Its *arithmetic intensity* is $I = W/Q$ (FLOP per byte). A machine has a peak arithmetic speed
# $P$ (FLOP/s) and a memory bandwidth $B$ (bytes/s). Each byte that arrives feeds $I$ operations, so the
# kernel can't do more than
#
# $$ R = \min(P,\ I \cdot B) \quad \text{FLOP/s}. $$
#
# Left of the *ridge point* $I = P/B$ memory is the limit ("memory"), from the ridge point on ($I \ge P/B$)
# arithmetic is ("compute").
#
# <figure>
# <img width="520" alt="Roofline on logarithmic axes: a slope I times B up to the ridge at 5 FLOP per byte, then flat at 100 GFLOP/s" src="data:image/svg+xml;charset=utf-8,
#  <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 520 250' font-family='sans-serif' font-size='12'>
#  <rect width='520' height='250' fill='white'/>
#  <g stroke='gainsboro'><path d='M70 20V200 M170 20V200 M270 20V200 M370 20V200 M470 20V200 M70 200H490 M70 140H490 M70 80H490 M70 20H490'/></g>
#  <path d='M70 181.94L239.9 80H490' fill='none' stroke='steelblue' stroke-width='3'/>
#  <path d='M239.9 80V200' stroke='steelblue' stroke-dasharray='4'/>
#  <circle cx='79.7' cy='176.1' r='5' fill='darkorange'/><circle cx='362.1' cy='80' r='5' fill='darkorange'/>
#  <g fill='black'><text x='92' y='192'>dot product: 2.5</text><text x='300' y='70'>1000 x 1000 matmul: 100</text><text x='246' y='194'>ridge 5</text>
#  <text x='100' y='130'>slope I B</text><text x='430' y='98'>peak P</text>
#  <text x='60' y='217'>0.1</text><text x='167' y='217'>1</text><text x='264' y='217'>10</text><text x='361' y='217'>100</text><text x='458' y='217'>1000</text>
#  <text x='190' y='240'>arithmetic intensity I (FLOP/byte)</text>
#  <text x='50' y='204'>1</text><text x='43' y='144'>10</text><text x='36' y='84'>100</text><text x='8' y='14'>R (GFLOP/s)</text></g>
#  </svg>">
# </figure>
#
# *The roofline of a machine with $P = 100$ GFLOP/s and $B = 20$ GB/s; both axes are logarithmic.* A dot
# product of two `float64` vectors does 2 operations for 16 bytes: $I = 0.125$, so at most 2.5 GFLOP/s, 2.5 %
# of the peak, however clever the code. A product of two 1000 × 1000 matrices does $2\cdot 10^9$ operations on
# $24 \cdot 10^6$ bytes: $I = 83.3$, and the peak is within reach.
#
# **Amdahl.** A fraction $f$ of the running time is made $s$ times faster, and the rest stays as it is. The
# whole gets faster by
#
# $$ S = \frac{1}{(1-f) + f/s}. $$
#
# With $f = 0.95$ and $s = 20$ that is 10.26, and even $s = \infty$ gives no more than $1/(1-f) = 20$. Turned
# around, a target $T \ge 1$ for the whole needs
#
# $$ s = \frac{f}{1/T - (1-f)} , $$
#
# if the denominator is positive; if it is zero or negative no finite $s$ will do, and `needed` returns
# `math.inf`. For $f = 0.75$: $T = 3$ needs $s = 9$, $T = 4$ needs infinity.

# %% solve="roofline"
def roofline(flops, traffic, peak, bandwidth):
    r"""What a kernel can reach at best on a machine.

    flops:     W > 0, operations of the kernel in FLOP
    traffic:   Q > 0, bytes moved
    peak:      P > 0 in FLOP/s
    bandwidth: B > 0 in bytes/s
    returns:   (attainable, limit): min(P, I B) in FLOP/s with I = W / Q, and the string "memory" or "compute"
               ("compute" at the ridge point itself)
    """
    raise NotImplementedError("roofline: the smaller of the two bounds, and which one it is")


def amdahl(fraction, speedup):
    r"""Speed-up of the whole if `fraction` (0 <= f < 1) of the time gets `speedup` (s > 0, may be math.inf) times faster."""
    raise NotImplementedError("amdahl: one over what is left of the running time")


def needed(fraction, target):
    r"""The speed-up s of the fraction (0 < f < 1) that makes the whole `target` (T >= 1) times faster, math.inf if none does."""
    raise NotImplementedError("needed: solve Amdahl's law for s")

# %% check="roofline" points=4
attainable, limit = roofline(2.0, 16.0, 100e9, 20e9)
assert abs(float(attainable) / 2.5e9 - 1) < 1e-12 and limit == "memory", "the dot product in the figure: 2.5e9 FLOP/s, memory"
attainable, limit = roofline(2e9, 24e6, 100e9, 20e9)
assert abs(float(attainable) / 100e9 - 1) < 1e-12 and limit == "compute", "the matrix product in the figure: 100e9 FLOP/s, compute"

# %% check="roofline-amdahl" points=3
assert abs(float(amdahl(0.95, 20)) - 10.25641) < 1e-5, "95 % of the time gets 20 times faster"
assert abs(float(amdahl(0.95, math.inf)) - 20) < 1e-9, "the 5 % that stay limit the whole to 20"

# %% check="roofline-needed" points=3
assert abs(float(needed(0.75, 3)) - 9) < 1e-9, "0.75 / (1/3 - 0.25) is 9"
assert float(needed(0.75, 4)) == math.inf, "1 / T = 1 - f: no finite speed-up will do"

# %% [markdown]
# ## 7. Race 1: pairwise distances
#
# Nearest neighbours, clustering and kernel methods all begin with the squared distances between the rows of
# two matrices, $X$ with shape $(n, d)$ and $Y$ with shape $(m, d)$:
#
# $$ D_{ij} = \lVert x_i - y_j \rVert^2 = \sum_{k=1}^{d} (x_{ik} - y_{jk})^2, \qquad D \text{ of shape } (n, m). $$
#
# The cell below is the formula, written down. It is correct, and for $n=200$, $m=150$, $d=256$ it takes more
# than a tenth of a second: some 200 million operations a second on a machine that can do tens of billions,
# because the interpreter spends microseconds on each pair.
#
# Broadcasting, `X[:, None, :] - Y[None, :, :]`, moves the loops into numpy. But it builds an array of shape
# $(n, m, d)$, 61 MB here, writes it to memory, reads it back, squares it into another one, and reads that to
# sum it. Its arithmetic intensity is about a tenth of a FLOP per byte, and question 6 tells you what that
# means. What you want is the operation with the highest intensity of all, a matrix product:
#
# $$ \lVert x_i - y_j \rVert^2 = \lVert x_i \rVert^2 + \lVert y_j \rVert^2 - 2\, x_i \cdot y_j . $$
#
# There is a price: if $x_i$ and $y_j$ are close, two large numbers almost cancel, and rounding can leave
# $-10^{-14}$ where 0 belongs; a square root after that gives NaN. So values below 0 must be set to 0.
#
# Write `pairwise`, and with it `nearest`: for each row of $X$ the squared distance to the nearest row of $Y$,
# $\min_j D_{ij}$.
#
# **Correctness** (5 points): `float64` in and out; no entry negative; each $D_{ij}$ within
# $10^{-10} \cdot (\lVert x_i \rVert^2 + \lVert y_j \rVert^2)$ of the exact value; $X$ and $Y$ unchanged. Only
# then **speed** (9 points): your `nearest` races the reference's on fresh random inputs of shape (200, 256)
# and (150, 256), one core each, and the ratio *reference time / your time* counts. (The race is about
# `nearest` because it returns 200 numbers and not 30,000, so that what is timed is your computation and not
# the way of the result to the judge.)
#
# | ratio at least | 0.12 | 0.5 |
# |---|---|---|
# | points | 5 | 9 |
#
# The loops and the broadcast are both far below 0.12. You need not beat the reference: half its speed gives
# full marks. The race is run the way you built it: warm-up, batches, many samples, a monotonic clock, an
# interval for the ratio.
#
# You can run the same race yourself, against the loops below, in a cell of your own:
#
# ```python
# from autograder.student import race
#
# race(nearest, lambda X, Y: pairwise_naive(X, Y).min(axis=1),
#      lambda rng: (rng.normal(size=(200, 256)), rng.normal(size=(150, 256))))
# ```
#
# The reference is some 150 times as fast as the loops, so full marks begin near 75.

# %%
def pairwise_naive(X, Y):
    D = np.empty((len(X), len(Y)))
    for i in range(len(X)):
        for j in range(len(Y)):
            difference = X[i] - Y[j]
            D[i, j] = np.sum(difference * difference)
    return D

# %% solve="pairwise"
def pairwise(X, Y):
    r"""Squared Euclidean distances between the rows of X and the rows of Y, fast.

    X: float64 array of shape (n, d);  Y: float64 array of shape (m, d);  n, m, d >= 1
    returns: float64 array D of shape (n, m), D[i, j] = ||X[i] - Y[j]||^2, no entry negative
    """
    raise NotImplementedError("pairwise: two vectors of squared norms and one matrix product")


def nearest(X, Y):
    r"""The smallest entry of each row of pairwise(X, Y): float64 array of shape (n,). This function runs in the race."""
    raise NotImplementedError("nearest: the minimum over the rows of Y")

# %% check="pairwise" points=5
X, Y = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 1.0]]), np.array([[0.0, 0.0], [3.0, 0.0]])
D = np.asarray(pairwise(X, Y))
assert D.shape == (3, 2), "one row for each row of X, one column for each row of Y"
np.testing.assert_allclose(D, [[0.0, 9.0], [25.0, 16.0], [2.0, 5.0]], atol=1e-9, err_msg="squared distances, for example 3^2 + 4^2 = 25")
np.testing.assert_allclose(np.asarray(nearest(X, Y)), [0.0, 16.0, 2.0], atol=1e-9, err_msg="the minimum of each row")

# %% check="pairwise-speed" points=9 speed=true
assert np.asarray(nearest(np.zeros((200, 256)), np.ones((150, 256)))).shape == (200,), "one number for each row of X"

# %% [markdown]
# ## 8. Race 2: peak memory, without waiting for memory
#
# A profiler recorded how the memory in use changed on $C$ devices during $T$ time steps: $X_{tc}$ is what
# device $c$ allocated in step $t$ less what it freed, in MB. The memory in use after step $t$, counted from
# the level at the start of the recording, is the running sum, and what you want to know is each device's
# *peak*:
#
# $$ S_{tc} = \sum_{s=0}^{t} X_{sc}, \qquad \text{peak}_c = \max_{0 \le t < T} S_{tc} . $$
#
# The array $X$ has shape $(T, C)$, the result $(C,)$. (The peak is over the $T$ sums and nothing else: where
# all of them are negative, so is the peak.) With
# $X = \begin{pmatrix} 5 & -2 \\ -3 & 1 \\ 4 & -1 \end{pmatrix}$ the sums are
# $\begin{pmatrix} 5 & -2 \\ 2 & -1 \\ 6 & -2 \end{pmatrix}$ and the peaks $(6, -1)$.
#
# In numpy that is one line, `np.cumsum(X, axis=0).max(axis=0)`, and there seems to be nothing left to do. But
# the line is slow. The additions aren't the trouble: 128 × 2048 of them take a tenth of a millisecond or so.
# The *order* is. `cumsum` finishes one device before it begins the next, so it walks down a column:
#
# <figure>
# <img width="520" alt="Two ways through a matrix that is stored row after row: down the columns, and along the rows" src="data:image/svg+xml;charset=utf-8,
#  <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 520 150' font-family='sans-serif' font-size='12'>
#  <rect width='520' height='150' fill='white'/>
#  <g fill='aliceblue' stroke='silver'><rect x='20' y='20' width='200' height='20'/><rect x='20' y='40' width='200' height='20'/><rect x='20' y='60' width='200' height='20'/><rect x='20' y='80' width='200' height='20'/>
#  <rect x='290' y='20' width='200' height='20'/><rect x='290' y='40' width='200' height='20'/><rect x='290' y='60' width='200' height='20'/><rect x='290' y='80' width='200' height='20'/></g>
#  <g fill='none' stroke='darkorange' stroke-width='2'><path d='M30 26V94 M55 26V94 M80 26V94 M105 26V94'/><path d='M26 86l4 8l4 -8 M51 86l4 8l4 -8 M76 86l4 8l4 -8 M101 86l4 8l4 -8'/></g>
#  <g fill='none' stroke='steelblue' stroke-width='2'><path d='M298 30H482 M298 50H482 M298 70H482 M298 90H482'/><path d='M474 26l8 4l-8 4 M474 46l8 4l-8 4 M474 66l8 4l-8 4 M474 86l8 4l-8 4'/></g>
#  <g fill='black'><text x='20' y='122'>column by column: each step jumps a</text><text x='20' y='138'>row ahead and opens a new cache line</text><text x='290' y='122'>row by row: each cache line of 8</text><text x='290' y='138'>numbers is opened once and used up</text></g>
#  </svg>">
# </figure>
#
# *Memory holds row after row.* A row of 2048 `float64` is 16,384 bytes long. Memory comes in cache lines of
# 64 bytes, 8 numbers. Going down a column, each addition opens a new line for a single number, and by the
# time the walk comes to the next column the line may be gone. It is worse than that: addresses that are
# 16,384 bytes apart compete for the same few places in the cache, so even a large cache holds few of them.
# And the sums, 2 MB, are written to memory only to be read once and thrown away.
#
# Turn the loops round. Along a row every byte of a line is used and the next line can be fetched ahead; and
# if you go row by row, all you have to remember between one step and the next is two rows of 16 KB, which
# stay in the caches closest to the processor. A Python loop over 128 *rows* costs about 128 × 1 µs, little
# compared with what it saves. (A Python loop over the 262,144 *numbers* costs 100 ns or more for each of
# them.)
#
# **Correctness** (4 points): `float64` in and out, error at most $10^{-9}$ for entries between −2 and 2, $X$
# unchanged, any $T \ge 1$ and $C \ge 1$. Only then **speed** (8 points), on fresh random inputs of shape
# (128, 2048), stored row after row:
#
# | ratio at least | 0.03 | 0.5 |
# |---|---|---|
# | points | 3 | 8 |
#
# Before you hand in, use your own instruments in a scratch cell: `measure` both versions, and let `bootstrap`
# say how sure you are of the speed-up.

# %% solve="peak"
def peak(X):
    r"""Highest running sum of each column, row by row.

    X: float64 array of shape (T, C), T, C >= 1, stored row after row (C order)
    returns: float64 array of shape (C,), the maximum over t of X[0, c] + ... + X[t, c]
    """
    raise NotImplementedError("peak: keep the running sum and the highest one so far, a row each")

# %% check="peak" points=4
X = np.array([[5.0, -2.0], [-3.0, 1.0], [4.0, -1.0]])
np.testing.assert_allclose(np.asarray(peak(X)), [6.0, -1.0], err_msg="the example: one peak for each column")

# %% check="peak-speed" points=8 speed=true
assert np.asarray(peak(np.ones((128, 2048)))).shape == (2048,), "one number for each column"
