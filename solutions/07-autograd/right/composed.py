# way = "a small core of primitives, everything else composed of them and differentiated by the tape; updates written with tensors under no_grad"

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    letters = "abcdefghijklmnop"[: np.ndim(grad)]
    front = len(letters) - len(shape)
    kept = "".join(letter for letter, size in zip(letters[front:], shape) if size != 1)
    return np.einsum(f"{letters}->{kept}", grad).reshape(shape)

# %% solve="arithmetic"
from functools import partial


def node_of(data, parents, *pulls):
    """pulls[i](grad) is the share of parents[i] before it is summed back to that parent's shape."""
    return node(data, parents, partial(hand_out, parents, pulls))


def hand_out(parents, pulls, grad):
    return tuple(unbroadcast(pull(grad), parent.data.shape) for parent, pull in zip(parents, pulls))


def transposed(array):
    return np.einsum("...ij->...ji", array)


def add(a, b):
    return node_of(a.data + b.data, (a, b), lambda g: g, lambda g: g)


def mul(a, b):
    return node_of(a.data * b.data, (a, b), lambda g: g * b.data, lambda g: g * a.data)


def matmul(a, b):
    return node_of(a.data @ b.data, (a, b), lambda g: g @ transposed(b.data), lambda g: transposed(a.data) @ g)

# %% solve="topological-order"
def topological_order(root):
    waiting, finished, order = [root], set(), []
    while waiting:
        tensor = waiting[-1]
        unfinished = [parent for parent in tensor.parents if parent not in finished]
        if unfinished:
            waiting.append(unfinished[0])
            continue
        waiting.pop()
        if tensor not in finished:
            finished.add(tensor)
            order.append(tensor)
    return order

# %% solve="backward"
from collections import defaultdict


def backward(root, grad=None):
    if not root.requires_grad or (grad is None and root.data.size != 1):
        raise ValueError("backward needs a recorded root, and a gradient unless the root is a single number")
    received = defaultdict(list)
    received[root].append(np.ones_like(root.data) if grad is None else np.asarray(grad))
    for tensor in topological_order(root)[::-1]:
        arrived = received.pop(tensor, [])
        if not arrived or not tensor.requires_grad:
            continue
        if tensor.rule is None:
            old = [] if tensor.grad is None else [tensor.grad]
            tensor.grad = np.sum(np.stack(old + arrived), axis=0)
        else:
            for parent, share in zip(tensor.parents, tensor.rule(np.sum(np.stack(arrived), axis=0))):
                received[parent].append(share)

# %% solve="functions"
def relu(a):
    return a * (a.data > 0)


def exp(a):
    z = node(np.exp(a.data), (a,), lambda grad: (grad * z.data,))
    return z


def log(a):
    return node(np.log(a.data), (a,), lambda grad: (np.divide(grad, a.data),))


def reduce_sum(a, axis=None, keepdims=False):
    def rule(grad):
        copies = np.empty(a.data.shape)
        copies[...] = np.reshape(grad, np.sum(a.data, axis=axis, keepdims=True).shape)
        return (copies,)

    return node(np.sum(a.data, axis=axis, keepdims=keepdims), (a,), rule)


def reduce_mean(a, axis=None, keepdims=False):
    n = np.sum(np.ones_like(a.data), axis=axis, keepdims=True).flat[0]
    return reduce_sum(mul(a, Tensor(1.0 / n)), axis, keepdims)


def reduce_max(a, axis=None, keepdims=False):
    is_max = (a.data == a.data.max(axis=axis, keepdims=True)).astype(float)
    return reduce_sum(mul(a, Tensor(is_max / is_max.sum(axis=axis, keepdims=True))), axis, keepdims)

# %% solve="no-grad"
import contextlib


@contextlib.contextmanager
def no_grad():
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, Tensor, "recording", Tensor.recording)
        Tensor.recording = False
        yield

# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    flat = np.ravel(x)

    def at(vector):
        with no_grad():
            return f(Tensor(vector.reshape(x.shape))).data

    steps = eps * np.eye(flat.size)
    return np.array([(at(flat + step) - at(flat - step)) / (2 * eps) for step in steps]).reshape(x.shape)


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    t = Tensor(np.copy(x), requires_grad=True)
    try:
        f(t).backward()
    except ValueError:
        pass
    a = np.zeros_like(x) if t.grad is None else t.grad
    n = numerical_gradient(f, x, eps)
    return not np.any(abs(a - n) > tol * np.maximum(1, np.maximum(abs(a), abs(n))))

# %% solve="training"
def cross_entropy(logits, labels):
    constant = Tensor(logits.data.max(axis=1, keepdims=True))
    log_sums = log(reduce_sum(exp(logits - constant), axis=1, keepdims=True)) + constant
    chosen = np.zeros(logits.data.shape)
    chosen[np.arange(len(labels)), labels] = 1.0 / len(labels)
    return ((log_sums - logits) * chosen).sum()


def mlp(x, parameters):
    *hidden, (weight, bias) = zip(parameters[::2], parameters[1::2])
    for w, b in hidden:
        x = relu(x @ w + b)
    return x @ weight + bias


def train(parameters, x, labels, steps, learning_rate):
    def step():
        loss = cross_entropy(mlp(Tensor(x), parameters), labels)
        loss.backward()
        with no_grad():
            for p in parameters:
                p.data = (p - learning_rate * p.grad).data
                p.grad = None
        return loss.data.item()

    for p in parameters:
        p.grad = None
    return [step() for _ in range(steps)]
