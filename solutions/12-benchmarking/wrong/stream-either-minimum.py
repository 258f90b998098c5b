# mistake = "the run ends as soon as one of the two minimums is reached"
# changes = ["scenarios"]
# mark = 93

# %% solve="scenarios"
def single_stream(service, min_queries, min_seconds):
    passed = 0.0
    for queries, seconds in enumerate(service, start=1):
        passed += seconds
        if queries >= min_queries or passed >= min_seconds:
            return queries, percentile(service[:queries], 90)
    raise ValueError("too short")


def offline(batch_sizes, batch_seconds, workers=1):
    free_at = [0.0] * workers
    for seconds in batch_seconds:
        first = free_at.index(min(free_at))
        free_at[first] += seconds
    return float(sum(batch_sizes) / max(free_at))
