# mistake = "counts the wait alone, without the service"
# changes = ["server"]
# mark = 88

# %% solve="server"
def latencies(arrivals, service):
    finish, result = -math.inf, []
    for arrival, seconds in zip(arrivals, service):
        start = max(arrival, finish)
        finish = start + seconds
        result.append(start - arrival)
    return np.array(result)


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
