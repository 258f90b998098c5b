# mistake = "right but very slow: a Python loop over the numbers"
# changes = ["peak"]
# mark = 92

# %% solve="peak"
def peak(X):
    highest = np.empty(X.shape[1])
    for c in range(X.shape[1]):
        total, best = 0.0, -math.inf
        for t in range(X.shape[0]):
            total += X[t, c]
            best = max(best, total)
        highest[c] = best
    return highest
