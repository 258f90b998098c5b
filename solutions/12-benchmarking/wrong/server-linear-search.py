# mistake = "asks every rate in turn instead of bisecting"
# changes = ["server"]
# mark = 96

# %% solve="server"
def latencies(arrivals, service):
    finish, result = -math.inf, []
    for arrival, seconds in zip(arrivals, service):
        finish = max(arrival, finish) + seconds
        result.append(finish - arrival)
    return np.array(result)


def highest_rate(meets, rates):
    best = 0.0
    for rate in rates:
        if not meets(rate):
            break
        best = float(rate)
    return best


def server(gaps, service, rates, bound):
    at_rate_one = np.cumsum(gaps)
    return highest_rate(lambda rate: percentile(latencies(at_rate_one / rate, service), 99) <= bound, rates)
