# mistake = "each query starts at the end of the one before, even before it has arrived"
# changes = ["server"]
# mark = 88

# %% solve="server"
def latencies(arrivals, service):
    arrivals, service = np.asarray(arrivals, dtype=float), np.asarray(service, dtype=float)
    return arrivals[0] + np.cumsum(service) - arrivals


def highest_rate(meets, rates):
    low, high = 0, len(rates)
    while low < high:
        middle = (low + high) // 2
        if meets(rates[middle]):
            low = middle + 1
        else:
            high = middle
    return float(rates[low - 1]) if low else 0.0


def server(gaps, service, rates, bound):
    at_rate_one = np.cumsum(gaps)
    return highest_rate(lambda rate: percentile(latencies(at_rate_one / rate, service), 99) <= bound, rates)
