# mistake = "right but very slow: a Python loop over the numbers"
# changes = ["scan"]
# mark = 92

# %% solve="scan"
def scan(X):
    S = X.copy()
    for t in range(1, X.shape[0]):
        for c in range(X.shape[1]):
            S[t, c] += S[t - 1, c]
    return S
