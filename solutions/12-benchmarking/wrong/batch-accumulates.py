# mistake = "adds up the time of all batches tried instead of timing each for itself"
# changes = ["measure"]
# mark = 96

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    for _ in range(warmup):
        work()
    samples = []
    for _ in range(repeats):
        before = clock()
        for _ in range(batch):
            work()
        samples.append((clock() - before) / 1e9 / batch)
    return samples


def batch_size(work, clock, at_least_ns):
    batch = 1
    before = clock()
    while True:
        for _ in range(batch):
            work()
        if clock() - before >= at_least_ns:
            return batch
        batch *= 2
