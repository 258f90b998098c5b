# mistake = "numerical_gradient moves x itself and undoes it by arithmetic, which leaves rounding errors"
# changes = ["gradcheck"]
# mark = 92

# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    slopes = np.zeros(x.shape)
    for position in np.ndindex(x.shape):
        x[position] += eps
        above = f(Tensor(x)).data
        x[position] -= 2 * eps
        below = f(Tensor(x)).data
        x[position] += eps
        slopes[position] = (above - below) / (2 * eps)
    return slopes


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    leaf = Tensor(x, requires_grad=True)
    result = f(leaf)
    if result.requires_grad:
        result.backward()
    taped = np.zeros(x.shape) if leaf.grad is None else leaf.grad
    measured = numerical_gradient(f, x, eps)
    scale = np.maximum(1.0, np.maximum(np.abs(taped), np.abs(measured)))
    return bool(np.max(np.abs(taped - measured) / scale) <= tol)
