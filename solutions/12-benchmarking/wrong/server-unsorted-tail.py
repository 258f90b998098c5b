# mistake = "takes p99 as the 99 % point in time instead of in size"
# changes = ["server"]
# mark = 95

# %% solve="server"
def latencies(arrivals, service):
    finish, result = -math.inf, []
    for arrival, seconds in zip(arrivals, service):
        finish = max(arrival, finish) + seconds
        result.append(finish - arrival)
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
    rank = -(-99 * len(gaps) // 100)
    return highest_rate(lambda rate: latencies(at_rate_one / rate, service)[rank - 1] <= bound, rates)
