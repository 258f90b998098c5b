# mistake = "reads time.time() instead of the clock it was given"
# changes = ["measure"]
# mark = 92

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        before = time.time()
        for _ in range(batch):
            work()
        samples.append((time.time() - before) / batch)
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
