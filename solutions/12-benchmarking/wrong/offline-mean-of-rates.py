# mistake = "throughput as the mean of the batches' rates"
# changes = ["scenarios"]
# mark = 95

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    passed = 0.0
    for queries, seconds in enumerate(service, start=1):
        passed += seconds
        if queries >= min_queries and passed >= min_seconds:
            return queries, percentile(service[:queries], 90)
    raise ValueError("too short")


def offline(batch_sizes, batch_seconds, workers=1):
    return float(np.mean(np.asarray(batch_sizes) / np.asarray(batch_seconds)) * workers)
