# mistake = "the warm-up calls are among the samples"
# changes = ["measure"]
# mark = 92

# %% solve="measure"
def measure(work, clock, warmup, repeats, batch=1):
    samples = []
    for _ in range(warmup + repeats):
        before = clock()
        for _ in range(batch):
            work()
        samples.append((clock() - before) / 1e9 / batch)
    return samples[:repeats]


def batch_size(work, clock, at_least_ns):
    batch = 1
    while True:
        before = clock()
        for _ in range(batch):
            work()
        if clock() - before >= at_least_ns:
            return batch
        batch *= 2
