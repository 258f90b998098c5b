# The hidden part of each check. Oracle: torch in float64, or a computation by another way.
# A cell repeats the small tools it needs: an earlier cell may have stopped before it defined them.

# %% check="unbroadcast-missing"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def share_of_expanded(shape, grad):
    operand = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    operand.expand(grad.shape).backward(torch.tensor(grad))
    return operand.grad.numpy()


for shape, stretched in [
    ((3,), (2, 3)), ((3,), (3, 3)), ((), (4,)), ((), (2, 1, 3)), ((2, 3), (5, 2, 3)), ((4,), (3, 2, 4)),
    ((2, 3), (2, 3)), ((5,), (5,)), ((), ()), ((3, 3), (3, 3, 3)),
]:
    flow = np.asarray(rng.normal(size=stretched))
    before = flow.copy()
    got = np.asarray(unbroadcast(flow, shape))
    assert got.shape == shape, "unbroadcast: the result must have the operand's shape"
    assert close(got, share_of_expanded(shape, before)), "unbroadcast: sum over the dimensions that were put in front"
    assert np.array_equal(flow, before), "unbroadcast: grad itself was changed"

# %% check="unbroadcast-size-one"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def share_of_expanded(shape, grad):
    operand = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    operand.expand(grad.shape).backward(torch.tensor(grad))
    return operand.grad.numpy()


for shape, stretched in [
    ((1,), (3,)), ((1, 3), (2, 3)), ((2, 1), (2, 3)), ((1, 1), (2, 3)), ((3, 1), (3, 3)), ((1, 3), (3, 3)),
    ((1,), (4, 2, 3)), ((3, 1), (2, 3, 4)), ((1, 3), (5, 2, 3)), ((2, 1, 4, 1), (2, 3, 4, 5)), ((1, 3), (1, 3)),
    ((4, 1, 3), (4, 1, 3)), ((1, 1), (2, 1, 1)), ((1,), (1, 1)), ((1, 2, 1), (3, 2, 2)),
]:
    flow = rng.normal(size=stretched)
    before = flow.copy()
    got = np.asarray(unbroadcast(flow, shape))
    assert got.shape == shape, "unbroadcast: a dimension of size 1 stays, with size 1"
    assert close(got, share_of_expanded(shape, before)), "unbroadcast: sum over each dimension that was stretched from size 1"
    assert np.array_equal(flow, before), "unbroadcast: grad itself was changed"

# %% check="arithmetic-add-mul"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for shape in [(), (1,), (4,), (2, 3), (3, 3), (2, 1, 3)]:
    first, second, flow = (np.asarray(rng.normal(size=shape)) for _ in range(3))
    for operation, oracle in [(add, torch.add), (mul, torch.mul)]:
        a, b = Tensor(first, requires_grad=True), Tensor(second, requires_grad=True)
        p, q = torch.tensor(first, requires_grad=True), torch.tensor(second, requires_grad=True)
        expected = oracle(p, q)
        wanted = torch.autograd.grad(expected, (p, q), torch.tensor(flow))
        z = operation(a, b)
        assert close(z.data, expected.detach().numpy()), "add, mul: wrong data"
        assert z.requires_grad is True, "add, mul: the result is not on the tape; use node"
        given = flow.copy()
        shares = z.rule(given)
        assert len(shares) == 2, "add, mul: the rule returns one gradient for each parent"
        assert close(shares[0], wanted[0].numpy()), "add, mul: wrong gradient of the first operand"
        assert close(shares[1], wanted[1].numpy()), "add, mul: wrong gradient of the second operand"
        assert np.array_equal(given, flow), "add, mul: a rule must not change grad"
        again = z.rule(flow)
        assert close(again[0], wanted[0].numpy()) and close(again[1], wanted[1].numpy()), "add, mul: a rule must give the same answer each time"
        assert close(a.data, first) and close(b.data, second), "add, mul: the operands' data were changed"
        assert a.grad is None and b.grad is None, "add, mul: a rule returns gradients, it doesn't store them"

number = Tensor(rng.normal(size=3))
variable = Tensor(rng.normal(size=3), requires_grad=True)
assert close(mul(number, variable).rule(np.ones(3))[1], number.data), "mul: gradient where the other operand is a constant"
assert add(number, number).requires_grad is False, "add: constants don't belong on the tape; use node"

# %% check="arithmetic-matmul"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for n, k, m in [(3, 2, 4), (3, 3, 3), (1, 5, 1), (4, 1, 2), (1, 1, 1), (2, 7, 5)]:
    first, second, flow = rng.normal(size=(n, k)), rng.normal(size=(k, m)), rng.normal(size=(n, m))
    a, b = Tensor(first, requires_grad=True), Tensor(second, requires_grad=True)
    p, q = torch.tensor(first, requires_grad=True), torch.tensor(second, requires_grad=True)
    expected = p @ q
    wanted = torch.autograd.grad(expected, (p, q), torch.tensor(flow))
    c = matmul(a, b)
    assert close(c.data, expected.detach().numpy()), "matmul: wrong data"
    given = flow.copy()
    shares = c.rule(given)
    assert len(shares) == 2, "matmul: the rule returns one gradient for each parent"
    assert close(shares[0], wanted[0].numpy()), "matmul: the gradient of a is grad times b transposed"
    assert close(shares[1], wanted[1].numpy()), "matmul: the gradient of b is a transposed times grad"
    assert np.array_equal(given, flow), "matmul: a rule must not change grad"
    assert close(a.data, first) and close(b.data, second), "matmul: the operands' data were changed"

# %% check="arithmetic-broadcast"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for one, other in [
    ((3,), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((1,), (4,)), ((4, 1, 3), (2, 1)),
    ((3, 3), (3,)), ((3, 3), (3, 1)), ((1, 1), (1,)), ((), (1,)), ((2, 3, 4), (3, 1)),
]:
    first, second = np.asarray(rng.normal(size=one)), np.asarray(rng.normal(size=other))
    for operation, oracle in [(add, torch.add), (mul, torch.mul)]:
        p, q = torch.tensor(first, requires_grad=True), torch.tensor(second, requires_grad=True)
        expected = oracle(p, q)
        flow = np.asarray(rng.normal(size=tuple(expected.shape)))
        wanted = torch.autograd.grad(expected, (p, q), torch.tensor(flow))
        z = operation(Tensor(first, requires_grad=True), Tensor(second, requires_grad=True))
        assert close(z.data, expected.detach().numpy()), "add, mul: wrong data where shapes broadcast"
        shares = z.rule(flow)
        assert np.asarray(shares[0]).shape == one, "add, mul: the first gradient must have the first operand's shape"
        assert np.asarray(shares[1]).shape == other, "add, mul: the second gradient must have the second operand's shape"
        assert close(shares[0], wanted[0].numpy()), "add, mul: wrong first gradient where shapes broadcast"
        assert close(shares[1], wanted[1].numpy()), "add, mul: wrong second gradient where shapes broadcast"

# %% check="arithmetic-stacks"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for one, other in [
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((4, 1, 2, 3), (5, 3, 2)),
    ((3, 3, 3), (3, 3)), ((2, 3, 3), (1, 3, 3)),
]:
    first, second = rng.normal(size=one), rng.normal(size=other)
    p, q = torch.tensor(first, requires_grad=True), torch.tensor(second, requires_grad=True)
    expected = p @ q
    flow = rng.normal(size=tuple(expected.shape))
    wanted = torch.autograd.grad(expected, (p, q), torch.tensor(flow))
    c = matmul(Tensor(first, requires_grad=True), Tensor(second, requires_grad=True))
    assert close(c.data, expected.detach().numpy()), "matmul: wrong data for stacks of matrices"
    shares = c.rule(flow)
    assert np.asarray(shares[0]).shape == one, "matmul: the gradient of a must have a's shape for stacks, too"
    assert np.asarray(shares[1]).shape == other, "matmul: the gradient of b must have b's shape for stacks, too"
    assert close(shares[0], wanted[0].numpy()), "matmul: wrong gradient of a for stacks of matrices"
    assert close(shares[1], wanted[1].numpy()), "matmul: wrong gradient of b for stacks of matrices"

# %% check="topological-order"
def random_graph(size):
    """Tensors named by their data, the parents that the tape keeps for each, as numbers."""
    tensors, parents_of, on_tape = [], [], []
    for k in range(size):
        if k < 4:
            tensors.append(Tensor(float(k), requires_grad=k != 2))
            parents_of.append(())
            on_tape.append(k != 2)
            continue
        chosen = [int(i) for i in rng.integers(max(0, k - 9), k, size=rng.integers(1, 4))]
        tensors.append(node(float(k), tuple(tensors[i] for i in chosen), None))
        on_tape.append(any(on_tape[i] for i in chosen))
        parents_of.append(tuple(chosen) if on_tape[-1] else ())
    return tensors, parents_of


def reachable(root, parents_of):
    found, todo = {root}, [root]
    while todo:
        for i in parents_of[todo.pop()]:
            if i not in found:
                found.add(i)
                todo.append(i)
    return found


for size in [5, 8, 14, 22, 30]:
    tensors, parents_of = random_graph(size)
    for root in [size - 1, size - 1, size - 2]:
        names = [int(t.data) for t in topological_order(tensors[root])]
        assert len(names) == len(set(names)), "topological_order: a tensor is listed more than once"
        assert set(names) == reachable(root, parents_of), "topological_order: not exactly the tensors that root was computed from"
        place = {name: i for i, name in enumerate(names)}
        in_order = [place[i] < place[k] for k in names for i in parents_of[k]]
        assert all(in_order), "topological_order: a tensor comes before one of its parents"

twins = [Tensor(5.0, requires_grad=True), Tensor(5.0, requires_grad=True)]
assert len(topological_order(node(6.0, twins, None))) == 3, "topological_order: tensors of equal value are not the same tensor"

# %% check="topological-order-deep"
chain = first_leaf = Tensor(0.0, requires_grad=True)
for step in range(1, 5001):
    parents = {0: (first_leaf, chain), 1: (chain, first_leaf)}.get(step % 4, (chain,))
    chain = node(float(step), parents, None)
order = topological_order(chain)
assert len(order) == 5001, "topological_order: a chain of 5,000 steps must work"
names = [int(t.data) for t in order[::40]]
assert names == list(range(0, 5001, 40)), "topological_order: a chain has only one right order"

# %% check="topological-order-wide"
def doubled(levels):
    tensor = Tensor(0.0, requires_grad=True)
    for level in range(1, levels + 1):
        tensor = node(float(level), (tensor, tensor), None)
    return tensor


def ladder(levels):
    one, other = Tensor(0.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    for level in range(1, levels + 1):
        one, other = node(2.0 * level, (one, other), None), node(2.0 * level + 1, (one, other), None)
    return node(2.0 * levels + 2, (one, other), None)


# Small graphs first: an answer that walks along every path fails on them at once instead of running out of time.
for levels in [3, 7, 60]:
    names = [int(t.data) for t in topological_order(doubled(levels))]
    assert names == list(range(levels + 1)), "topological_order: each tensor once, however many paths lead to it"
    names = [int(t.data) for t in topological_order(ladder(levels))]
    assert sorted(names) == list(range(2 * levels + 3)), "topological_order: each tensor once, however many paths lead to it"
    assert all(a // 2 <= b // 2 for a, b in zip(names, names[1:])), "topological_order: a tensor comes before one of its parents"

# %% check="backward"
def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def refuses(root):
    try:
        backward(root)
    except ValueError:
        return True
    return False


# A chain of scalings whose rules are the judge's own: only `backward` is on trial.
for shape in [(), (1,), (1, 1), (3,), (2, 3)]:
    leaf, constant, lonely = Tensor(np.ones(shape), requires_grad=True), Tensor(np.ones(shape)), Tensor(np.ones(shape), requires_grad=True)
    calls = []

    def scaled(tensor, factor):
        def pull(grad):
            calls.append(np.array(grad))
            return (factor * np.asarray(grad), None)

        return node(factor * np.asarray(tensor.data), (tensor, constant), pull)

    middle = scaled(leaf, 3.0)
    root = scaled(middle, -0.5)
    flow = np.asarray(rng.normal(size=shape))
    given = flow.copy()
    root.backward(given)
    assert close(leaf.grad, -1.5 * flow), "backward: each rule's share is handed to the parent"
    assert len(calls) == 2, "backward: the rule of each node is called exactly once"
    assert close(calls[0], flow) and close(calls[1], -0.5 * flow), "backward: a rule gets the gradient of its own node"
    assert np.array_equal(given, flow), "backward: the array grad was changed"
    assert constant.grad is None and lonely.grad is None, "backward: a tensor that no gradient is due to got one"
    assert middle.grad is None and root.grad is None, "backward: only leaves keep a gradient"
    if flow.size == 1:
        backward(root)
        assert close(leaf.grad, -1.5 * flow - 1.5), "backward: without grad, a root of one element starts with one"
    else:
        assert refuses(root), "backward: without grad, a root of several elements is a ValueError"
        assert close(leaf.grad, -1.5 * flow), "backward: a refused call must change nothing"

two_leaves = [Tensor(rng.normal(size=2), requires_grad=True), Tensor(rng.normal(size=3), requires_grad=True)]
joined = node(np.zeros(()), two_leaves, lambda grad: (np.full(2, 2.0) * grad, np.full(3, 5.0) * grad))
backward(joined, np.array(3.0))
assert close(two_leaves[0].grad, [6.0, 6.0]) and close(two_leaves[1].grad, [15.0] * 3), "backward: the shares go to the parents in their order"

alone = Tensor(rng.normal(size=(2, 2)), requires_grad=True)
backward(alone, np.full((2, 2), 4.0))
assert close(alone.grad, np.full((2, 2), 4.0)), "backward: a root that is a leaf receives grad itself"
assert refuses(Tensor(1.0)) and refuses(-Tensor(1.0)), "backward: a root that requires no gradient is a ValueError"

# %% check="backward-shared"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


# Random graphs with random weights on their edges. The oracle goes forwards: the derivative of each node with
# respect to every leaf is the weighted sum of its parents' derivatives.
def pull_through(weights, calls):
    def pull(grad):
        calls.append(1)
        return tuple(weight * np.asarray(grad) for weight in weights)

    return pull


for size in [4, 6, 10, 16, 24]:
    leaves, calls = 3, []
    tensors = [Tensor(np.zeros(2), requires_grad=True) for _ in range(leaves)]
    derivative = list(np.eye(leaves))
    parents_of = [()] * leaves
    for k in range(leaves, size):
        chosen = [int(i) for i in rng.integers(max(0, k - 6), k, size=rng.integers(1, 4))]
        if k == size - 1:
            chosen = [k - 1, k - 1, 0, 1, 2][: max(2, len(chosen) + 1)] if size > 4 else [0, 1, 2, 0]
        weights = rng.normal(size=len(chosen))
        tensors.append(node(np.zeros(2), tuple(tensors[i] for i in chosen), pull_through(weights, calls)))
        derivative.append(sum(weight * derivative[i] for weight, i in zip(weights, chosen)))
        parents_of.append(tuple(chosen))
    used, todo = {size - 1}, [size - 1]
    while todo:
        for i in set(parents_of[todo.pop()]) - used:
            used.add(i)
            todo.append(i)
    backward(tensors[-1], np.array([1.0, -2.0]))
    assert len(calls) == sum(1 for k in used if k >= leaves), "backward: the rule of each node is called exactly once"
    for k in range(leaves):
        if k in used:
            want = derivative[-1][k] * np.array([1.0, -2.0])
            assert close(tensors[k].grad, want), "backward: add the shares of all uses before you call a node's rule"
        else:
            assert tensors[k].grad is None, "backward: a leaf that the root doesn't use got a gradient"

# A node that is used directly and through another one, the users named in both orders.
for direct_first in [True, False]:
    leaf, calls = Tensor(np.zeros(2), requires_grad=True), []
    used_twice = node(np.zeros(2), (leaf,), pull_through([2.0], calls))
    between = node(np.zeros(2), (used_twice,), pull_through([3.0], calls))
    users = (used_twice, between) if direct_first else (between, used_twice)
    backward(node(np.zeros(2), users, pull_through([1.0, 1.0], calls)), np.array([1.0, -2.0]))
    assert len(calls) == 3, "backward: the rule of each node is called exactly once, after all of its uses"
    assert close(leaf.grad, [8.0, -16.0]), "backward: add the shares of all uses before you call a node's rule"

# Sums that hand one array to two parents, and products, against torch.
def product(a, b):
    left, right = np.asarray(a.data), np.asarray(b.data)
    return node(left * right, (a, b), lambda grad: (np.asarray(grad) * right, np.asarray(grad) * left))


expressions = [
    lambda add, mul, a, b, c: add(mul(a, a), a),
    lambda add, mul, a, b, c: add(add(a, b), a),
    lambda add, mul, a, b, c: add(add(a, a), add(b, a)),
    lambda add, mul, a, b, c: add(a, add(b, add(c, a))),
    lambda add, mul, a, b, c: add(mul(add(a, b), add(a, b)), add(a, b)),
    lambda add, mul, a, b, c: mul(mul(add(mul(a, b), c), add(a, mul(c, c))), a),
]
for expression in expressions:
    arrays = [rng.normal(size=(2, 3)) for _ in range(3)]
    ours = [Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    flow = rng.normal(size=(2, 3))
    backward(expression(plain_add, product, *ours), flow)
    expression(torch.add, torch.mul, *theirs).backward(torch.tensor(flow))
    for our, their in zip(ours, theirs):
        if their.grad is None:
            assert our.grad is None, "backward: a leaf that the root doesn't use got a gradient"
        else:
            assert close(our.grad, their.grad.numpy()), "backward: wrong gradient where tensors are used several times"

# %% check="backward-twice"
def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def scaled(tensor, factor):
    return node(factor * np.asarray(tensor.data), (tensor,), lambda grad: (factor * np.asarray(grad),))


leaf = Tensor(rng.normal(size=(2, 3)), requires_grad=True)
middle = scaled(scaled(leaf, 2.0), 3.0)
root, branch = scaled(middle, 0.5), scaled(middle, -1.0)
flow = rng.normal(size=(2, 3))
for times in [1, 2, 3]:
    backward(root, flow)
    assert close(leaf.grad, times * 3.0 * flow), "backward: every call adds the same amount to a leaf's grad"
backward(branch, flow)
assert close(leaf.grad, 3.0 * flow), "backward: a call on another result adds to grad, too"
leaf.grad = None
backward(root, flow)
assert close(leaf.grad, 3.0 * flow), "backward: after grad = None the collection starts afresh"

# Two leaves that receive the same array must not share it afterwards.
u, v = Tensor(rng.normal(size=3), requires_grad=True), Tensor(rng.normal(size=3), requires_grad=True)
flow = rng.normal(size=3)
total = plain_add(u, v)
backward(total, flow)
backward(total, flow)
backward(scaled(u, 10.0), flow)
assert close(u.grad, 12.0 * flow), "backward: wrong sum over several calls"
assert close(v.grad, 2.0 * flow), "backward: was an array changed that two leaves share?"

# %% check="backward-deep"
def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for levels in [8, 60]:  # small first: a walk along every path is caught before it runs out of time
    calls = []

    def twice(tensor):
        def pull(grad):
            calls.append(1)
            return (np.asarray(grad), np.asarray(grad))

        return node(2.0 * np.asarray(tensor.data), (tensor, tensor), pull)

    leaf = Tensor(1.0, requires_grad=True)
    tensor = leaf
    for _ in range(levels):
        tensor = twice(tensor)
    backward(tensor)
    assert len(calls) == levels, "backward: the rule of each node is called exactly once, however many paths lead to it"
    assert close(leaf.grad, 2.0**levels), "backward: wrong gradient in a graph with many paths"

leaf = Tensor(rng.normal(size=2), requires_grad=True)
chain = leaf
for _ in range(5000):
    chain = -chain
flow = rng.normal(size=2)
backward(chain, flow)
assert close(leaf.grad, flow), "backward: a chain of 5,000 steps must work"

# %% check="functions-pointwise"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def agrees(operation, oracle, array):
    """Whether data and gradient are torch's, for a random gradient of the result, and nothing else is changed."""
    reference = torch.tensor(array, requires_grad=True)
    expected = oracle(reference)
    flow = np.asarray(rng.normal(size=tuple(expected.shape)))
    expected.backward(torch.tensor(flow))
    leaf = Tensor(array, requires_grad=True)
    result = operation(leaf)
    if not close(result.data, expected.detach().numpy()):
        return False
    given = flow.copy()
    result.rule(given)
    result.backward(flow)
    return close(leaf.grad, reference.grad.numpy()) and close(leaf.data, array) and np.array_equal(given, flow)


for shape in [(), (1,), (7,), (3, 4), (2, 1, 3)]:
    whole = np.asarray(rng.integers(-2, 3, size=shape), dtype=np.float64)
    assert agrees(relu, torch.relu, whole), "relu: keep what is positive; the gradient passes only there, and not at zero"
    assert agrees(exp, torch.exp, np.asarray(rng.normal(size=shape))), "exp: the gradient is grad times the result"
    assert agrees(log, torch.log, np.asarray(rng.uniform(0.05, 5.0, size=shape))), "log: the gradient is grad divided by a"
assert agrees(relu, torch.relu, np.zeros(3)), "relu: the gradient at zero is zero"

# %% check="functions-sum-mean"
import itertools
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def axes_of(shape):
    """None, every int and every tuple of different ints that numpy takes as axis; some negative, some not in order."""
    n = len(shape)
    yield None
    yield from range(-n, n)
    for length in range(2, n + 1):
        for axes in itertools.permutations(range(n), length):
            yield tuple(axis - n if rng.random() < 0.4 else axis for axis in axes)


for shape in [(), (4,), (3, 3), (2, 5), (1, 4), (2, 3, 4), (3, 3, 3)]:
    array = np.asarray(rng.normal(size=shape))
    for axis in axes_of(shape):
        dims = tuple(range(len(shape))) if axis is None else axis
        keepdims = bool(rng.random() < 0.5)
        for operation, oracle, kind in [(reduce_sum, torch.sum, "sum"), (reduce_mean, torch.mean, "mean")]:
            reference = torch.tensor(array, requires_grad=True)
            expected = oracle(reference, dim=dims, keepdim=keepdims)
            flow = np.asarray(rng.normal(size=tuple(expected.shape)))
            expected.backward(torch.tensor(flow))
            leaf = Tensor(array, requires_grad=True)
            result = operation(leaf, axis=axis, keepdims=keepdims)
            data_right = close(result.data, expected.detach().numpy())
            assert data_right, "reduce_sum, reduce_mean: wrong data; axis and keepdims are numpy's"
            given = flow.copy()
            result.rule(given)
            assert np.array_equal(given, flow), "reduce_sum, reduce_mean: a rule must not change grad"
            result.backward(flow)
            gradient_right = close(leaf.grad, reference.grad.numpy())
            assert gradient_right or kind == "mean", "reduce_sum: each element receives the gradient of its own sum"
            assert gradient_right, "reduce_mean: each element receives the gradient of its own mean, divided by the number of elements averaged"

# %% check="functions-max"
import itertools
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


def axes_of(shape):
    n = len(shape)
    yield None
    yield from range(-n, n)
    for length in range(2, n + 1):
        for axes in itertools.permutations(range(n), length):
            yield tuple(axis - n if rng.random() < 0.4 else axis for axis in axes)


for shape in [(), (6,), (3, 3), (2, 5), (1, 4), (2, 3, 4)]:
    for axis in axes_of(shape):
        dims = tuple(range(len(shape))) if axis is None else axis
        keepdims = bool(rng.random() < 0.5)
        for tied in [False, True]:
            values = rng.integers(-3, 0, size=shape) if tied else rng.normal(size=shape)
            array = np.asarray(values, dtype=np.float64)
            reference = torch.tensor(array, requires_grad=True)
            expected = torch.amax(reference, dim=dims, keepdim=keepdims)
            flow = np.asarray(rng.normal(size=tuple(expected.shape)))
            expected.backward(torch.tensor(flow))
            leaf = Tensor(array, requires_grad=True)
            result = reduce_max(leaf, axis=axis, keepdims=keepdims)
            data_right = close(result.data, expected.detach().numpy())
            assert data_right, "reduce_max: wrong data; axis and keepdims are numpy's"
            given = flow.copy()
            result.rule(given)
            assert np.array_equal(given, flow), "reduce_max: a rule must not change grad"
            result.backward(flow)
            gradient_right = close(leaf.grad, reference.grad.numpy())
            assert gradient_right or tied, "reduce_max: the gradient goes to the maximum of each group"
            assert gradient_right, "reduce_max: split the gradient equally among the elements that attain the maximum"
leaf = Tensor(np.zeros((4, 2)), requires_grad=True)
leaf.max(axis=0).backward(np.ones(2))
assert close(leaf.grad, np.full((4, 2), 0.25)), "reduce_max: four equal elements get a quarter each"

# %% check="no-grad"
x = Tensor(rng.normal(size=(2, 2)), requires_grad=True)
before = -x
# Asserts stand outside the blocks: a context manager may swallow what is raised inside.
for _ in range(3):
    inside, seen = [x], []
    with no_grad():
        for _ in range(5):
            inside.append(-inside[-1])
        parameter = Tensor(np.zeros(2), requires_grad=True)
        seen.append(Tensor.recording)
    after = -x
    assert len(inside) == 6 and len(seen) == 1, "no_grad: the block was not run to its end"
    for result in inside[1:]:
        assert result.requires_grad is False, "no_grad: an operation inside the block was recorded"
        assert len(result.parents) == 0 and result.rule is None, "no_grad: a result from inside the block keeps the graph alive"
    assert np.array_equal(inside[-1].data, -np.asarray(x.data)), "no_grad: the data must be computed as ever"
    assert parameter.requires_grad is True, "no_grad: a new parameter still requires a gradient"
    assert bool(seen[0]) is False, "no_grad: Tensor.recording must be False inside the block"
    assert after.requires_grad is True and len(after.parents) == 1, "no_grad: recording must go on after the block"
assert before.requires_grad is True and len(before.parents) == 1, "no_grad: what was recorded before the block stays on the tape"
assert len((-inside[-1]).parents) == 0, "no_grad: a result made inside the block is a constant"

# %% check="no-grad-restore"
x = Tensor(rng.normal(size=3), requires_grad=True)
states = []
with no_grad():
    with no_grad():
        with no_grad():
            states.append((-x).requires_grad)
        states.append((-x).requires_grad)
    states.append((-x).requires_grad)
    with no_grad():
        states.append((-x).requires_grad)
    states.append((-x).requires_grad)
assert states == [False] * 5, "no_grad: leaving an inner block must not switch recording on"
assert (-x).requires_grad is True, "no_grad: leaving the outermost block must switch recording on again"

for error in [ValueError, ZeroDivisionError, KeyError]:
    raised = False
    try:
        with no_grad():
            raise error("from inside the block")
    except error:
        raised = True
    assert raised, "no_grad: an exception in the block must go on to the caller"
    assert (-x).requires_grad is True, "no_grad: recording must be restored after an exception"

states = []
with no_grad():
    try:
        with no_grad():
            raise ValueError("from inside the inner block")
    except ValueError:
        states.append("raised")
    states.append((-x).requires_grad)
assert states == ["raised", False], "no_grad: an exception in an inner block must go on, and restore what was before: off"
assert (-x).requires_grad is True, "no_grad: recording must be restored at the end"

# %% check="gradcheck-numerical"
import torch


def close(got, want, rtol=1e-9):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=rtol, atol=rtol)


for shape in [(), (1,), (3,), (2, 2), (3, 2), (2, 1, 2)]:
    weight = np.asarray(rng.normal(size=shape))

    def weighted(array):
        """A function without symmetry, whose central, one-sided and wrongly restored differences all differ."""
        return float(np.sum(weight * array**3) + np.sum(array) ** 2 + np.sum(weight * array) ** 3)

    def on_tensor(t):
        return Tensor(weighted(np.asarray(t.data)))

    place = np.asarray(rng.normal(size=shape) / 3.0)
    untouched = place.copy()
    for eps in [0.25, 0.01]:
        wanted = np.zeros(shape)
        for i in np.ndindex(shape):
            step = np.zeros(shape)
            step[i] = eps
            wanted[i] = (weighted(untouched + step) - weighted(untouched - step)) / (2 * eps)
        got = np.asarray(numerical_gradient(on_tensor, place, eps=eps))
        assert got.shape == shape, "numerical_gradient: one number for each element of x"
        assert close(got, wanted), "numerical_gradient: central difference with the step eps, one element at a time"
        assert np.array_equal(place, untouched), "numerical_gradient: x must be left exactly as it was"
    reference = torch.tensor(untouched, requires_grad=True)
    torch_weight = torch.tensor(weight)
    ((torch_weight * reference**3).sum() + reference.sum() ** 2 + (torch_weight * reference).sum() ** 3).backward()
    got = numerical_gradient(on_tensor, place)
    assert close(got, reference.grad.numpy(), rtol=1e-6), "numerical_gradient: the default step is 1e-6"
    assert np.array_equal(place, untouched), "numerical_gradient: x must be left exactly as it was"

# %% check="gradcheck"
def claims(value, gradient):
    """A function of a Tensor with value(array), whose tape claims gradient(array)."""

    def f(t):
        array = np.asarray(t.data)
        return node(value(array), (t,), lambda grad: (np.asarray(gradient(array) * np.asarray(grad)),))

    return f


def cubes(array):
    return float(np.sum(array**3))


def slope(array):
    return 3 * array**2


verdicts = []
for shape in [(), (4,), (2, 3)]:
    place = np.asarray(rng.uniform(0.5, 1.5, size=shape))
    kept = place.copy()
    verdicts.append((bool(gradcheck(claims(cubes, slope), place)), True))
    verdicts.append((bool(gradcheck(claims(cubes, lambda array: -slope(array)), place)), False))
    verdicts.append((bool(gradcheck(claims(cubes, lambda array: 1.001 * slope(array)), place)), False))
    verdicts.append((bool(gradcheck(claims(cubes, lambda array: 0.999 * slope(array)), place)), False))
    verdicts.append((bool(gradcheck(claims(cubes, lambda array: 0.0 * array), place)), False))
    verdicts.append((bool(gradcheck(lambda t: -claims(cubes, slope)(t), place)), True))
    assert np.array_equal(place, kept), "gradcheck: x must be left exactly as it was"
assert all(got is want for got, want in verdicts if want), "gradcheck: a right gradient was rejected"
assert all(got is want for got, want in verdicts if not want), "gradcheck: a wrong gradient was accepted"

place = rng.uniform(0.5, 1.5, size=40)
for error in [2e-5, -2e-5]:
    spike = np.zeros(40)
    spike[int(rng.integers(40))] = error
    accepted = bool(gradcheck(claims(cubes, lambda array: slope(array) + spike), place))
    assert accepted is False, "gradcheck: one wrong element is enough to fail (the maximum over all, of absolute differences)"

large = claims(lambda array: 1e6 * cubes(array), lambda array: 1e6 * slope(array) * (1 + 1e-7))
assert bool(gradcheck(large, place)) is True, "gradcheck: compare relative to the gradient where it is large"
small = claims(lambda array: 1e-3 * cubes(array), lambda array: 1e-3 * slope(array) * (1 + 1e-5))
assert bool(gradcheck(small, place)) is True, "gradcheck: compare absolutely where the gradient is small"
coarse = claims(cubes, slope)
assert bool(gradcheck(coarse, place, eps=0.1, tol=0.05)) is True, "gradcheck: use the given tol"
assert bool(gradcheck(coarse, place, eps=0.1, tol=1e-4)) is False, "gradcheck: use the given eps and tol"

assert bool(gradcheck(lambda t: Tensor(cubes(np.asarray(t.data))), place)) is False, "gradcheck: off the tape the gradient is zero, and that is wrong here"
assert bool(gradcheck(lambda t: Tensor(3.0), place)) is True, "gradcheck: a constant has gradient zero"

# %% check="training-loss"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-9, atol=1e-11)


for n, c, scale in [(5, 4, 1.0), (1, 2, 3.0), (7, 3, 10.0), (4, 4, 1.0), (6, 5, 2000.0)]:
    scores = rng.normal(size=(n, c)) * scale
    scores[0] = scores[0, 0]  # a row of ties
    right = rng.integers(0, c, size=n)
    logits = Tensor(scores, requires_grad=True)
    reference = torch.tensor(scores, requires_grad=True)
    loss = cross_entropy(logits, right)
    expected = torch.nn.functional.cross_entropy(reference, torch.tensor(right))
    value_of_loss = np.asarray(loss.data)
    assert value_of_loss.shape == (), "cross_entropy: the loss has shape ()"
    assert np.isfinite(value_of_loss), "cross_entropy: subtract the row's maximum before exp"
    assert close(value_of_loss, expected.item()), "cross_entropy: mean over the points of log-sum-exp minus the right logit"
    backward(loss, np.array(2.5))
    (2.5 * expected).backward()
    assert close(logits.grad, reference.grad.numpy()), "cross_entropy: the gradient is (softmax - one-hot) / n"

# %% check="training-gradients"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-8, atol=1e-11)


for sizes in [[4, 3], [3, 5, 2], [2, 4, 4, 3], [5, 6, 3, 4, 2]]:
    n = 6
    arrays = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        arrays += [rng.normal(size=(inputs, outputs)), rng.normal(size=outputs)]
    places, right = rng.normal(size=(n, sizes[0])), rng.integers(0, sizes[-1], size=n)
    ours = [Tensor(array, requires_grad=True) for array in arrays]
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    hidden_state = torch.tensor(places)
    for k in range(0, len(theirs), 2):
        hidden_state = hidden_state @ theirs[k] + theirs[k + 1]
        if k + 2 < len(theirs):
            hidden_state = torch.relu(hidden_state)
    output = mlp(Tensor(places), ours)
    assert close(output.data, hidden_state.detach().numpy()), "mlp: relu(h @ W + b) for each layer, the last without relu"
    backward(cross_entropy(output, right))
    torch.nn.functional.cross_entropy(hidden_state, torch.tensor(right)).backward()
    for our, their in zip(ours, theirs):
        assert close(our.grad, their.grad.numpy()), "mlp: the gradient of a parameter differs from the true one"

# %% check="training"
import torch


def close(got, want):
    got, want = np.asarray(got, dtype=np.float64), np.asarray(want)
    return got.shape == want.shape and np.allclose(got, want, rtol=1e-6, atol=1e-9)


def torch_training(arrays, places, right, steps, rate):
    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    record = []
    for _ in range(steps):
        state = torch.tensor(places)
        for k in range(0, len(theirs), 2):
            state = state @ theirs[k] + theirs[k + 1]
            if k + 2 < len(theirs):
                state = torch.relu(state)
        loss = torch.nn.functional.cross_entropy(state, torch.tensor(right))
        record.append(loss.item())
        gradients = torch.autograd.grad(loss, theirs)
        with torch.no_grad():
            for their, gradient in zip(theirs, gradients):
                their -= rate * gradient
    return record, [their.detach().numpy() for their in theirs]


for sizes, rate in [([3, 4], 0.5), ([2, 6, 3], 0.2), ([3, 5, 4, 2], 0.1)]:
    arrays = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        arrays += [rng.normal(size=(inputs, outputs)), 0.1 * rng.normal(size=outputs)]
    places, right = rng.normal(size=(20, sizes[0])), rng.integers(0, sizes[-1], size=20)
    ours = [Tensor(array.copy(), requires_grad=True) for array in arrays]
    backward(cross_entropy(mlp(Tensor(places), ours), right))  # old gradients, which must not count
    record, final = torch_training(arrays, places, right, 30, rate)
    got = train(ours, places.copy(), right.copy(), 12, rate)
    got = [float(loss) for loss in got]
    assert len(got) == 12, "train: one loss for each step"
    assert close(got[0], record[0]), "train: the first loss is the one before any change"
    assert close(got[1], record[1]), "train: wrong first step (old gradients not cleared? sign? the mean over the points?)"
    assert close(got, record[:12]), "train: wrong later steps (gradients not cleared between the steps?)"
    got = [float(loss) for loss in train(ours, places.copy(), right.copy(), 18, rate)]
    assert close(got, record[12:]), "train: a second call goes on where the first one ended"
    for our, want in zip(ours, final):
        assert close(our.data, want), "train: the parameters differ from those of gradient descent"
        assert our.requires_grad is True and len(our.parents) == 0, "train: the parameters must stay leaves that require a gradient"
