# mistake = "bisection returns the first rate that misses the bound"
# changes = ["server"]
# mark = 91

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
    return float(rates[min(low, len(rates) - 1)])


def server(gaps, service, rates, bound):
    at_rate_one = np.cumsum(gaps)
    return highest_rate(lambda rate: percentile(latencies(at_rate_one / rate, service), 99) <= bound, rates)
