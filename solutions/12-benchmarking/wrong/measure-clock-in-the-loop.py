# mistake = "reads the clock around every call of the batch, so that each reading is timed too"
# changes = ["measure"]
# mark = 92

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        total = 0
        for _ in range(batch):
            before = clock()
            work()
            total += clock() - before
        samples.append(total / 1e9 / batch)
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
