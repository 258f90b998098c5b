# mistake = "gradcheck forgets the absolute value of the difference"
# changes = ["gradcheck"]
# mark = 96

# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    slopes = np.zeros(x.shape)
    for position in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[position] = eps
        slopes[position] = (f(Tensor(x + step)).data - f(Tensor(x - step)).data) / (2 * eps)
    return slopes


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    leaf = Tensor(x, requires_grad=True)
    result = f(leaf)
    if result.requires_grad:
        result.backward()
    taped = np.zeros(x.shape) if leaf.grad is None else leaf.grad
    measured = numerical_gradient(f, x, eps)
    scale = np.maximum(1.0, np.maximum(np.abs(taped), np.abs(measured)))
    return bool(np.max((taped - measured) / scale) <= tol)
