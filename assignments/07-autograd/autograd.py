# %% [markdown]
# # Automatic differentiation from a tape
#
# *Chapter: AI Frameworks. Eight questions, 100 points, about three hours.*
#
# A framework such as PyTorch does one thing that you could not easily do without it: you write a
# program that computes a number, and it tells you how that number changes when any input changes,
# for millions of inputs at once and for the price of running the program a few more times.
# Tonight you build that machine. It fits on a few screens:
#
# 1. every operation writes down *what it was computed from* and *how to pull a gradient back through it* (questions 1, 2, 5);
# 2. the notes are put in order and played backwards (questions 3, 4);
# 3. the recorder can be switched off (question 6), its output can be checked without trusting it (question 7),
#    and it trains a neural network (question 8).
#
# You need only numpy. Each question has one cell for your code and then cells that check it. The checks
# that you see here are a help while you work; the grade comes from these and from further ones that you
# don't see: other shapes, other values, larger graphs. Leave the given cells as they are. You may add
# cells and functions of your own.

# %% [markdown]
# ## The idea, on one page
#
# Take $L = (xy + x)^2$ at $x = 2$, $y = -3$. A program computes it in steps, and each step is so simple
# that its derivative is school mathematics:
#
# $$p = x\,y = -6, \qquad z = p + x = -4, \qquad L = z\,z = 16.$$
#
# Write $\bar v$ for $\partial L / \partial v$, the *gradient of* $v$: how much the final result moves when $v$
# moves a little. Start from the end, where $\bar L = 1$, and walk back. Each step hands its gradient to the
# values it was computed from, multiplied by the local derivative:
#
# | step | hands on | sum so far |
# |---|---|---|
# | $L = z\,z$ | $z\,\bar L = -4$ to the left factor $z$, $-4$ to the right factor $z$ | $\bar z = -8$ |
# | $z = p + x$ | $\bar z = -8$ to $p$, $\bar z = -8$ to $x$ | $\bar p = -8$, $\bar x = -8$ |
# | $p = x\,y$ | $y\,\bar p = 24$ to $x$, $x\,\bar p = -16$ to $y$ | $\bar x = -8 + 24 = 16$, $\bar y = -16$ |
#
# <img alt="The graph of L = (xy + x)^2 with the value and the gradient of each node" width="640" src='data:image/svg+xml;utf8,
# <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 230" font-family="sans-serif" font-size="14" text-anchor="middle">
# <rect width="640" height="230" fill="white"/>
# <g stroke="gray" stroke-width="2" fill="none">
# <path d="M108 60 L 222 108"/><path d="M108 170 L 222 122"/><path d="M278 115 L 382 115"/>
# <path d="M110 52 C 220 20 330 30 392 92"/><path d="M436 105 C 480 80 510 80 552 105"/><path d="M436 125 C 480 150 510 150 552 125"/></g>
# <g fill="gray"><path d="M224 109 l -13 -1 l 5 -9 z"/><path d="M224 121 l -9 10 l -4 -9 z"/><path d="M384 115 l -12 -5 v 10 z"/>
# <path d="M394 94 l -12 -6 l 8 -7 z"/><path d="M554 106 l -13 -1 l 5 -9 z"/><path d="M554 124 l -8 10 l -5 -9 z"/></g>
# <g fill="aliceblue" stroke="steelblue" stroke-width="2"><circle cx="82" cy="55" r="26"/><circle cx="82" cy="175" r="26"/>
# <circle cx="250" cy="115" r="27"/><circle cx="410" cy="115" r="27"/><circle cx="580" cy="115" r="27"/></g>
# <g fill="black"><text x="82" y="60">x</text><text x="82" y="180">y</text><text x="250" y="120">p=xy</text><text x="410" y="120">z=p+x</text><text x="580" y="120">L=zz</text></g>
# <g fill="steelblue"><text x="30" y="60">2</text><text x="30" y="180">-3</text><text x="250" y="80">-6</text><text x="410" y="80">-4</text><text x="580" y="80">16</text></g>
# <g fill="firebrick"><text x="82" y="102">16</text><text x="82" y="222">-16</text><text x="250" y="164">-8</text><text x="410" y="164">-8</text><text x="580" y="164">1</text></g>
# <text x="410" y="215" font-size="13" fill="dimgray">blue: values, left to right; red: gradients, right to left</text></svg>'>
#
# Check it by hand: $\partial L/\partial x = 2(xy+x)(y+1) = 2\cdot(-4)\cdot(-2) = 16$. Three things in this small table decide everything below:
#
# * $x$ and $z$ are used **twice**, so gradients from different uses are **added**.
# * $z$ may hand on its gradient only **after** both of its uses have reported. Hence the right order matters.
# * The walk visits each step **once**, however many paths lead from the input to the result. All partial derivatives
#   together cost a small multiple of the program itself, however many there are. This is *reverse mode*, the method for one result and many inputs.

# %% [markdown]
# ## The tensor (given)
#
# A `Tensor` holds an array and what the tape knows about it. Read this cell until you could write it yourself; its
# operators only call functions that *you* write below, so most of them don't work yet.
#
# A tensor without parents is a **leaf**: data, a parameter, or a result that no gradient flows through. Every other one is the result of
# an operation, made by `node`, which decides whether the tape must know about it.
# The **rule** of a node is the heart of the matter:
#
# > `rule(grad)` takes the gradient of the node, an array of the node's shape, and returns a **tuple with one entry for each
# > parent, in the order of `parents`**: the share of the gradient that this node hands to that parent, an array of **exactly that parent's shape**.
# > The entry of a parent with `requires_grad=False` is never looked at and may be `None`. A rule changes nothing: not `grad`, not any tensor's `data` or `grad`.
#
# `neg` is a complete example: for $z = -a$ the gradient is $\bar a = -\bar z$.
#
# Conventions for the whole notebook:
#
# * All numbers are float64. Shapes are numpy's; a single number has shape `()`. No array is empty.
# * `t.grad` is `None` until a gradient has arrived; then it is an array of `t.data`'s shape.
# * The functions you write get `Tensor`s (the operators convert numbers and arrays first) and never change their inputs.

# %%
import numpy as np


class Tensor:
    """A float64 array that remembers how it was computed.

    data           the array; a float64 array that is passed in is shared, not copied
    requires_grad  whether gradients shall flow to (or through) this tensor
    grad           None, or the gradient collected so far: an array of data's shape (leaves only)
    parents        the tensors it was computed from, () for a leaf
    rule           grad of this node -> tuple of one gradient for each parent; None for a leaf
    """

    recording = True  # one switch for all tensors: is the tape running?
    __array_ufunc__ = None  # numpy leaves `array * tensor` to us

    def __init__(self, data, requires_grad=False, parents=(), rule=None):
        self.data = np.asarray(data, dtype=np.float64)
        self.requires_grad = requires_grad
        self.grad = None
        self.parents = tuple(parents)
        self.rule = rule

    def __repr__(self):
        return f"Tensor({self.data}, requires_grad={self.requires_grad})"

    def __add__(self, other): return add(self, as_tensor(other))
    def __radd__(self, other): return add(as_tensor(other), self)
    def __mul__(self, other): return mul(self, as_tensor(other))
    def __rmul__(self, other): return mul(as_tensor(other), self)
    def __matmul__(self, other): return matmul(self, as_tensor(other))
    def __rmatmul__(self, other): return matmul(as_tensor(other), self)
    def __neg__(self): return neg(self)
    def __sub__(self, other): return add(self, neg(as_tensor(other)))
    def __rsub__(self, other): return add(as_tensor(other), neg(self))
    def __truediv__(self, number): return mul(self, Tensor(1.0 / number))  # numbers and arrays only

    def sum(self, axis=None, keepdims=False): return reduce_sum(self, axis, keepdims)
    def mean(self, axis=None, keepdims=False): return reduce_mean(self, axis, keepdims)
    def max(self, axis=None, keepdims=False): return reduce_max(self, axis, keepdims)
    def relu(self): return relu(self)
    def exp(self): return exp(self)
    def log(self): return log(self)
    def backward(self, grad=None): backward(self, grad)


def as_tensor(value):
    return value if isinstance(value, Tensor) else Tensor(value)


def node(data, parents, rule):
    """The result of an operation. Only if somebody wants a gradient does it keep parents and rule."""
    if Tensor.recording and any(parent.requires_grad for parent in parents):
        return Tensor(data, True, parents, rule)
    return Tensor(data)


def neg(a):
    def rule(grad):
        return (-grad,)

    return node(-a.data, (a,), rule)


# %% [markdown]
# ## 1. The gradient of broadcasting (8 points)
#
# numpy adds a bias of shape `(3,)` to a batch of shape `(2, 3)` by *using each of its numbers twice*. And a number
# that is used twice gets the sum of the gradients of its uses. So, for $z_{ij} = a_{ij} + b_j$,
#
# $$\bar b_j = \sum_i \bar z_{ij}.$$
#
# This is the whole of it: **the gradient of copying is summing.** Broadcasting stretches a shape to another by two rules: missing
# dimensions are put *in front*, and dimensions of size 1 are repeated. Going back, the gradient is summed over
# each dimension that was put in front (which then disappears) and over each that was stretched from size 1 (which stays, with size 1):
#
# | `shape` of the operand | shape of `grad` | sum over | result |
# |---|---|---|---|
# | `(3,)` | `(2, 3)` | axis 0, dropped | `(3,)` |
# | `(2, 1)` | `(2, 3)` | axis 1, kept | `(2, 1)` |
# | `(3, 1)` | `(2, 3, 4)` | axis 0, dropped; axis 2, kept | `(3, 1)` |
# | `()` | `(2, 3)` | everything | `()` |
# | `(2, 3)` | `(2, 3)` | nothing | `(2, 3)` |
#
# For instance, a `grad` of ones of shape `(2, 3, 4)` sent back to shape `(3, 1)` is `[[8.], [8.], [8.]]`: each of the three numbers was used $2\cdot 4$ times.

# %% solve="unbroadcast"
def unbroadcast(grad, shape):
    r"""The gradient of an operand that broadcasting stretched from `shape` to grad.shape.

    grad   array; its shape is one that `shape` broadcasts to
    shape  tuple of int, the operand's shape
    Returns an array of shape `shape`: out[i] = sum of grad[k] over all positions k that used operand[i].
    grad itself is not changed (it may be returned as it is where nothing was stretched).
    """
    raise NotImplementedError("unbroadcast: sum the stretched dimensions")


# %% check="unbroadcast-missing" points=4
def check_unbroadcast_missing():
    grad_of_batch = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    bias_share = np.asarray(unbroadcast(grad_of_batch, (3,)))
    assert bias_share.shape == (3,), "unbroadcast: the result must have the operand's shape"
    assert np.array_equal(bias_share, [11.0, 22.0, 33.0])
    assert np.asarray(unbroadcast(grad_of_batch, ())).shape == (), "unbroadcast: shape () means that every dimension was added"
    assert float(unbroadcast(grad_of_batch, ())) == 66.0
    assert np.array_equal(np.asarray(unbroadcast(grad_of_batch, (2, 3))), grad_of_batch)


check_unbroadcast_missing()

# %% check="unbroadcast-size-one" points=4
def check_unbroadcast_size_one():
    column_share = np.asarray(unbroadcast(np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]), (2, 1)))
    assert column_share.shape == (2, 1), "unbroadcast: a dimension stretched from 1 stays, with size 1"
    assert np.array_equal(column_share, [[6.0], [60.0]])
    assert np.array_equal(np.asarray(unbroadcast(np.ones((2, 3, 4)), (3, 1))), [[8.0], [8.0], [8.0]])


check_unbroadcast_size_one()

# %% [markdown]
# ## 2. Sum, product and matrix product (18 points)
#
# Now the three operations with two operands. Each computes its data with numpy and returns `node(data, (a, b), rule)`, as `neg` does with one parent.
# All three broadcast as numpy does, so every share must pass through `unbroadcast`.
#
# **Sum.** $z = a + b$. Both operands receive $\bar z$.
#
# **Product.** $z = a \odot b$, element by element. $\partial z/\partial a = b$, so $\bar a = \bar z \odot b$ and $\bar b = \bar z \odot a$.
#
# **Matrix product.** $C = AB$ with $A$ of shape `(n, k)`, $B$ of shape `(k, m)`. Don't look for the derivative of a matrix by a matrix
# (it has four indices). Ask instead how $L$ moves when $A$ moves by a small $dA$. Then $dC = dA\,B$, and
#
# $$dL = \sum_{ij} \bar C_{ij}\, dC_{ij} = \sum_{ij}\sum_k \bar C_{ij}\, dA_{ik} B_{kj} = \sum_{ik} \Big(\sum_j \bar C_{ij} B_{kj}\Big)\, dA_{ik},$$
#
# and the bracket is $\bar A_{ik}$. In matrices, and in the same way for $B$:
#
# $$\bar A = \bar C\,B^\top \qquad\qquad \bar B = A^\top \bar C .$$
#
# The shapes leave no other choice: `(n, m) @ (m, k)` gives `(n, k)`, and `(k, n) @ (n, m)` gives `(k, m)`. Example:
# $A = \begin{pmatrix}1&2\\3&4\end{pmatrix}$, $B = \begin{pmatrix}5\\6\end{pmatrix}$, $\bar C = \begin{pmatrix}1\\10\end{pmatrix}$ give
# $\bar A = \begin{pmatrix}5&6\\50&60\end{pmatrix}$, $\bar B = \begin{pmatrix}31\\42\end{pmatrix}$.
#
# numpy's `@` also multiplies *stacks* of matrices: `(5, 2, 3) @ (3, 4)` has shape `(5, 2, 4)`, the second operand being used five times.
# The last two dimensions are the matrix; all dimensions before them broadcast. The formulas stay the same (transpose the last two
# dimensions only), and `unbroadcast` does the rest. Both operands always have two dimensions or more here.
#
# The backward pass comes only in question 4, so the checks of this question call the rule directly: `z.rule(grad)`.

# %% solve="arithmetic"
def add(a, b):
    r"""z = a + b for Tensors whose shapes broadcast together.  dL/da = dL/dz, dL/db = dL/dz."""
    raise NotImplementedError("add: data and rule of a + b")


def mul(a, b):
    r"""z = a * b, element by element, shapes broadcast.  dL/da = dL/dz * b, dL/db = dL/dz * a."""
    raise NotImplementedError("mul: data and rule of a * b")


def matmul(a, b):
    r"""c = a @ b for Tensors of shapes (..., n, k) and (..., k, m); the leading dimensions broadcast.

    Returns a Tensor of shape (..., n, m).  dL/da = dL/dc b^T, dL/db = a^T dL/dc, summed where a stack was stretched.
    """
    raise NotImplementedError("matmul: data and rule of a @ b")


# %% check="arithmetic-add-mul" points=5
def check_arithmetic_add_mul():
    left = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    right = Tensor([4.0, 5.0, 6.0], requires_grad=True)
    assert np.array_equal((left + right).data, [5.0, 7.0, 9.0])
    assert np.array_equal((left * right).data, [4.0, 10.0, 18.0])
    seed = np.array([1.0, 10.0, 100.0])
    shares = (left + right).rule(seed)
    assert len(shares) == 2, "add: the rule returns one gradient for each parent"
    assert np.array_equal(shares[0], seed) and np.array_equal(shares[1], seed)
    shares = (left * right).rule(seed)
    assert np.array_equal(shares[0], [4.0, 50.0, 600.0]), "mul: the gradient of a is grad * b"
    assert np.array_equal(shares[1], [1.0, 20.0, 300.0]), "mul: the gradient of b is grad * a"


check_arithmetic_add_mul()

# %% check="arithmetic-matmul" points=5
def check_arithmetic_matmul():
    left = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    right = Tensor([[5.0], [6.0]], requires_grad=True)
    assert np.array_equal((left @ right).data, [[17.0], [39.0]])
    shares = (left @ right).rule(np.array([[1.0], [10.0]]))
    assert np.array_equal(shares[0], [[5.0, 6.0], [50.0, 60.0]]), "matmul: the gradient of a is grad @ b transposed"
    assert np.array_equal(shares[1], [[31.0], [42.0]]), "matmul: the gradient of b is a transposed @ grad"


check_arithmetic_matmul()

# %% check="arithmetic-broadcast" points=4
def check_arithmetic_broadcast():
    batch = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    bias = Tensor([10.0, 20.0, 30.0], requires_grad=True)
    shares = (batch + bias).rule(np.ones((2, 3)))
    assert shares[0].shape == (2, 3) and shares[1].shape == (3,), "add: each gradient has its parent's shape"
    assert np.array_equal(shares[1], [2.0, 2.0, 2.0])
    shares = (batch * bias).rule(np.ones((2, 3)))
    assert np.array_equal(shares[1], [5.0, 7.0, 9.0]), "mul: multiply first, then sum the stretched dimensions"


check_arithmetic_broadcast()

# %% check="arithmetic-stacks" points=4
def check_arithmetic_stacks():
    stack = Tensor(np.arange(30.0).reshape(5, 2, 3), requires_grad=True)
    weight = Tensor(np.ones((3, 4)), requires_grad=True)
    product = stack @ weight
    assert product.data.shape == (5, 2, 4)
    shares = product.rule(np.ones((5, 2, 4)))
    assert shares[0].shape == (5, 2, 3) and shares[1].shape == (3, 4), "matmul: each gradient has its parent's shape"
    assert np.array_equal(shares[0], np.full((5, 2, 3), 4.0))
    assert np.array_equal(shares[1][:, 0], [135.0, 145.0, 155.0])


check_arithmetic_stacks()

# %% [markdown]
# ## 3. The order of the tape (12 points)
#
# A node may hand on its gradient when every node that *uses* it has done so. List the tensors so that **each comes after all of its parents**
# (a *topological order*); read from the end, the list puts every user before what it uses. That list is the tape.
# In the example of the first page `[x, y, p, z, L]` is such an order, `[y, x, p, z, L]` another; `[x, y, z, p, L]` is not.
#
# The classical way is a depth-first walk from the result: a tensor is written down only when all of its parents have been. Three traps:
#
# * **Depth.** A walk that calls itself for each parent needs one stack frame for each step of the program, and Python stops at
#   1,000. A loop of 5,000 additions or a recurrent network over a long text is deeper. Keep the stack in a list of your own. Each entry
#   must remember what is still to be done there: look at the parents, or write the tensor down.
# * **Width.** After `for _ in range(60): t = t + t` the graph has 61 tensors but $2^{60}$ paths, more than a walk along all
#   paths would finish in your lifetime. Remember which tensors you have met, by identity (`id(t)`, or a `set` of tensors), not by value.
# * **Writing down too early.** A tensor may not be written down when you first *meet* it and the list reversed at the end. In the example a walk from $L$ meets $z$,
#   perhaps next $x$, then $p$ and $y$. Reversed that is `[y, p, x, z, L]`, with $p$ before its parent $x$.
#
# Leave no marks on the tensors: they may be part of another walk later.

# %% solve="topological-order"
def topological_order(root):
    """All tensors that root was computed from, and root: each exactly once, each after all of its parents.

    root     a Tensor
    Returns  a list of Tensors; root is the last. A tensor belongs to it if it can be reached from root through
             `parents`, whether it requires a gradient or not. Any order that satisfies the rule is right.
    Works on graphs of any depth (no recursion) in time proportional to the number of tensors and parents.
    """
    raise NotImplementedError("topological_order: walk from root to the leaves without recursion")


# %% check="topological-order" points=6
def check_topological_order():
    def name_graph():
        """The graph of the first page; each tensor's data is a number that names it."""
        x, y = Tensor(0.0, requires_grad=True), Tensor(1.0, requires_grad=True)
        p = node(2.0, (x, y), None)
        z = node(3.0, (p, x), None)
        return node(4.0, (z, z), None)

    names = [int(t.data) for t in topological_order(name_graph())]
    assert sorted(names) == [0, 1, 2, 3, 4], "topological_order: every tensor once, none left out"
    assert names[2:] == [2, 3, 4], "topological_order: a tensor comes after all of its parents"
    assert len(topological_order(Tensor(1.0))) == 1, "topological_order: a leaf is an order of its own"


check_topological_order()

# %% check="topological-order-deep" points=3
def check_topological_order_deep():
    chain = Tensor(0.0, requires_grad=True)
    for step in range(1, 1201):
        chain = node(float(step), (chain,), None)
    order = topological_order(chain)
    assert len(order) == 1201
    assert [int(t.data) for t in order[::100]] == list(range(0, 1201, 100)), "topological_order: a chain has only one right order"


check_topological_order_deep()

# %% check="topological-order-wide" points=3
def check_topological_order_wide():
    doubling = Tensor(0.0, requires_grad=True)
    for step in range(1, 11):
        doubling = node(float(step), (doubling, doubling), None)
    names = [int(t.data) for t in topological_order(doubling)]
    assert names == list(range(11)), "topological_order: a tensor used twice is still listed once"


check_topological_order_wide()

# %% [markdown]
# ## 4. Playing the tape backwards (16 points)
#
# Everything is in place. With the gradient of the root given, go through the order from its end. For each node that is not a leaf,
# call its rule **once**, with the complete gradient of the node, and **add** each entry to what its parent has collected:
#
# $$\bar v \;=\; \sum_{u \,:\, v \in \text{parents}(u)} (\text{share that } u \text{ hands to } v).$$
#
# If $u$ has $v$ twice among its parents, as in $z \cdot z$, both entries count. Where do the gradients in flight live? In a dictionary of this one call
# (`id(t)` as key). When the walk is over,
#
# * every **leaf** with `requires_grad=True` that was reached has its total **added to its `grad`** (`None` counts as zero, and is replaced by an array).
#   So a second call to `backward`, on the same graph or on another one, adds to the first. Training code relies on it, and must clear `grad` itself.
# * every other tensor is left as it was: tensors in between keep `grad = None` (their gradients are needed only in passing, and keeping them
#   would cost the memory of all activations once more), and so do leaves with `requires_grad=False` and leaves not reached.
#
# The start: `grad`, an array of the root's shape, is the root's gradient. Without it, the root must hold exactly one element (its shape may be `()`, `(1,)`, `(1, 1)`, …)
# and its gradient is one. A root that doesn't require a gradient is not on the tape.
#
# A trap: a rule may hand out the *same array* to two parents, or the very array it was given. `plain_add` below does both. Never add to
# such an array in place: with `g += share` you may change somebody else's gradient. `g = g + share` makes a new one.
#
# On the first page's example, `x.grad` must become 16 and `y.grad` $-16$; the cell after the checks shows it with your own operations.
# The checks bring nodes of their own, so that a mistake in question 2 costs nothing here.

# %%
def plain_add(a, b):
    """a + b for operands of equal shape (given, for the checks): both parents receive one and the same array."""
    return node(a.data + b.data, (a, b), lambda grad: (grad, grad))


# %% solve="backward"
def backward(root, grad=None):
    """Add d(root)/d(leaf), weighted by grad, to leaf.grad of every leaf that requires a gradient and that root depends on.

    root   Tensor with requires_grad=True, else ValueError
    grad   array of root's shape: the gradient of root. None: root must have exactly one element (else ValueError), and ones are used
    Changes no tensor but those leaves, and not the array `grad`. Each node's rule is called once. Returns None.
    """
    raise NotImplementedError("backward: go through the topological order from its end")


# %% check="backward" points=5
def check_backward():
    x = Tensor(2.0, requires_grad=True)
    constant = Tensor(7.0)
    chained = -(-plain_add(x, constant))
    chained.backward()
    assert np.asarray(x.grad).shape == (), "backward: a gradient has its tensor's shape"
    assert float(x.grad) == 1.0
    assert constant.grad is None, "backward: a leaf that doesn't require a gradient gets none"
    assert chained.grad is None, "backward: only leaves keep a gradient"
    vector = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    (-vector).backward(np.array([1.0, 10.0, 100.0]))
    assert np.array_equal(vector.grad, [-1.0, -10.0, -100.0])
    try:
        (-vector).backward()
        raised = False
    except ValueError:
        raised = True
    assert raised, "backward: without grad, a root of three elements is a ValueError"


check_backward()

# %% check="backward-shared" points=5
def check_backward_shared():
    def product(a, b):
        return node(a.data * b.data, (a, b), lambda grad: (grad * b.data, grad * a.data))

    x, y = Tensor(2.0, requires_grad=True), Tensor(-3.0, requires_grad=True)
    z = plain_add(product(x, y), x)
    product(z, z).backward()
    assert float(x.grad) == 16.0, "backward: the shares of all uses are added"
    assert float(y.grad) == -16.0
    u, v = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    plain_add(plain_add(u, v), u).backward(np.ones(2))
    assert np.array_equal(u.grad, [2.0, 2.0])
    assert np.array_equal(v.grad, [1.0, 1.0]), "backward: was an array changed that two tensors share?"


check_backward_shared()

# %% check="backward-twice" points=3
def check_backward_twice():
    x = Tensor(3.0, requires_grad=True)
    tripled = node(3.0 * x.data, (x,), lambda grad: (3.0 * grad,))
    negated = -(-(-tripled))
    negated.backward()
    assert float(x.grad) == -3.0
    negated.backward()
    assert float(x.grad) == -6.0, "backward: a second call adds to grad, and starts afresh in between"
    (-x).backward()
    assert float(x.grad) == -7.0


check_backward_twice()

# %% check="backward-deep" points=3
def check_backward_deep():
    x = Tensor([1.0, 2.0], requires_grad=True)
    chain = x
    for _ in range(1200):
        chain = -chain
    chain.backward(np.array([1.0, 2.0]))
    assert np.array_equal(x.grad, [1.0, 2.0])
    x = Tensor(1.0, requires_grad=True)
    doubling = x
    for _ in range(10):
        doubling = plain_add(doubling, doubling)
    doubling.backward()
    assert float(x.grad) == 1024.0


check_backward_deep()

# %%
try:
    x, y = Tensor(2.0, requires_grad=True), Tensor(-3.0, requires_grad=True)
    z = x * y + x
    (z * z).backward()
    print("first page:", x.grad, "and", y.grad, "(expected 16 and -16)")
except Exception as problem:
    print("first page: not yet:", problem)

# %% [markdown]
# ## 5. Pointwise functions and reductions (18 points)
#
# **Pointwise.** For $z_i = f(a_i)$ the rule is $\bar a_i = f'(a_i)\,\bar z_i$:
#
# | | $f(a)$ | $f'(a)$ | note |
# |---|---|---|---|
# | `relu` | $\max(a, 0)$ | $1$ if $a > 0$, else $0$ | at $a = 0$ there is no derivative; we take $0$ |
# | `exp` | $e^a$ | $e^a$ | the *result* is the derivative: no need to compute it twice |
# | `log` | $\ln a$ | $1/a$ | natural logarithm; only called with $a > 0$ |
#
# **Reductions.** `axis` is as in numpy: `None` (all dimensions), an int, or a tuple of different ints; negative ones count from the end.
# With `keepdims=True` the reduced dimensions stay with size 1, otherwise they disappear. Let $n$ be the number of elements that are reduced to one result
# (the product of the sizes of the reduced dimensions).
#
# | | forward | share of each element of `a` |
# |---|---|---|
# | `reduce_sum` | $z = \sum a_i$ | $\bar z$ |
# | `reduce_mean` | $z = \frac1n \sum a_i$ | $\bar z / n$ |
# | `reduce_max` | $z = \max a_i$ | $\bar z / m$ for each of the $m$ elements that equal the maximum, $0$ for the others |
#
# The gradient of summing is copying: the mirror image of question 1. With `keepdims=False` a dimension is missing in `grad`, so
# *put it back where it was* before you stretch it. Broadcasting by itself puts missing dimensions in front, and on a square matrix
# that gives the right shape and the wrong numbers.
#
# At a tie the maximum has no derivative; frameworks differ in what they do. Ours splits the gradient **equally** among all elements that attain it.
# For $a = \begin{pmatrix}3&1&3\\2&5&4\end{pmatrix}$, `axis=1`, $\bar z = (1, 10)$ the gradient is $\begin{pmatrix}0.5&0&0.5\\0&10&0\end{pmatrix}$.
#
# You may build a function from operations you already have where that is shorter (the tape then differentiates it for you), or give it a node and a rule of its own.

# %%
def gradient_of(f, data, grad):
    """For your experiments and for the checks: what reaches a leaf holding `data` when f(leaf) has the gradient `grad`."""
    leaf = Tensor(data, requires_grad=True)
    f(leaf).backward(np.asarray(grad, dtype=np.float64))
    return leaf.grad


# %% solve="functions"
def relu(a):
    r"""z = max(a, 0), element by element.  dL/da = dL/dz where a > 0, and 0 where a <= 0."""
    raise NotImplementedError("relu: zero the negative elements")


def exp(a):
    r"""z = e^a, element by element.  dL/da = dL/dz * z."""
    raise NotImplementedError("exp: the result is its own derivative")


def log(a):
    r"""z = ln a, element by element, for a > 0.  dL/da = dL/dz / a."""
    raise NotImplementedError("log: natural logarithm")


def reduce_sum(a, axis=None, keepdims=False):
    r"""Sum of a over axis (None, int or tuple of int), shapes as numpy's a.data.sum(axis, keepdims=keepdims)."""
    raise NotImplementedError("reduce_sum: each element of a receives its sum's gradient")


def reduce_mean(a, axis=None, keepdims=False):
    r"""Mean of a over axis (None, int or tuple of int), shapes as numpy's a.data.mean(axis, keepdims=keepdims)."""
    raise NotImplementedError("reduce_mean: divide by the number of elements averaged")


def reduce_max(a, axis=None, keepdims=False):
    r"""Maximum of a over axis (None, int or tuple of int), shapes as numpy's a.data.max(axis, keepdims=keepdims).

    The gradient of each maximum is split equally among the elements that attain it.
    """
    raise NotImplementedError("reduce_max: split the gradient equally among ties")


# %% check="functions-pointwise" points=6
def check_functions_pointwise():
    assert np.array_equal(relu(Tensor([-2.0, 0.0, 3.0])).data, [0.0, 0.0, 3.0])
    assert np.array_equal(gradient_of(lambda t: t.relu(), [-2.0, 0.0, 3.0], [5.0, 6.0, 7.0]), [0.0, 0.0, 7.0]), "relu: gradient"
    assert np.allclose(exp(Tensor([0.0, 1.0])).data, [1.0, 2.718281828459045])
    assert np.allclose(gradient_of(lambda t: t.exp(), [0.0, 1.0], [5.0, 2.0]), [5.0, 5.43656365691809]), "exp: gradient"
    assert np.allclose(log(Tensor([1.0, 4.0])).data, [0.0, 1.3862943611198906])
    assert np.allclose(gradient_of(lambda t: t.log(), [1.0, 4.0], [3.0, 2.0]), [3.0, 0.5]), "log: gradient"


check_functions_pointwise()

# %% check="functions-sum-mean" points=6
def check_functions_sum_mean():
    square = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert np.array_equal(Tensor(square).sum(axis=1).data, [3.0, 7.0])
    assert np.array_equal(Tensor(square).mean(axis=0, keepdims=True).data, [[2.0, 3.0]])
    assert float(Tensor(square).mean().data) == 2.5
    got = gradient_of(lambda t: t.sum(axis=1), square, [1.0, 10.0])
    assert np.array_equal(got, [[1.0, 1.0], [10.0, 10.0]]), "reduce_sum: put the missing dimension back where it was"
    got = gradient_of(lambda t: t.mean(axis=-1), np.ones((2, 4)), [1.0, 10.0])
    assert np.array_equal(got, [[0.25] * 4, [2.5] * 4]), "reduce_mean: each element's share is grad / n"
    assert np.array_equal(gradient_of(lambda t: t.mean(), square, 1.0), np.full((2, 2), 0.25))


check_functions_sum_mean()

# %% check="functions-max" points=6
def check_functions_max():
    table = np.array([[3.0, 1.0, 3.0], [2.0, 5.0, 4.0]])
    assert np.array_equal(Tensor(table).max(axis=1).data, [3.0, 5.0])
    assert Tensor(table).max(axis=1, keepdims=True).data.shape == (2, 1)
    got = gradient_of(lambda t: t.max(axis=1), table, [1.0, 10.0])
    assert np.array_equal(got, [[0.5, 0.0, 0.5], [0.0, 10.0, 0.0]]), "reduce_max: ties share the gradient equally"
    assert np.array_equal(gradient_of(lambda t: t.max(), table, 1.0), [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


check_functions_max()

# %% [markdown]
# ## 6. Switching the tape off (8 points)
#
# The tape keeps every array that a rule may need, for as long as the result lives. That is the price of reverse mode, and in training it is most of the memory.
# When nobody will ask for a gradient (when a model only predicts, or when the optimizer changes the parameters) it should not be paid.
#
# `node` looks at the class-wide switch `Tensor.recording`. Write `no_grad` so that
#
# ```python
# with no_grad():
#     prediction = model(x)      # no parents, no rule, requires_grad=False
# ```
#
# runs its block with the switch off and then puts it back to **what it was before** (inside another `no_grad` block that is *off*, not on),
# also when the block ends with an exception, which must go on to the caller.
# Write it as a class with `__enter__` and `__exit__`, or as a generator with `contextlib.contextmanager`; replace the stub by what you like. It must be callable without arguments.

# %% solve="no-grad"
def no_grad():
    """A context manager: inside its block operations are not recorded. Afterwards recording is what it was before."""
    raise NotImplementedError("no_grad: switch Tensor.recording off, and back to what it was")


# %% check="no-grad" points=4
def check_no_grad():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        silent = -x
    assert np.array_equal(silent.data, [-1.0, -2.0])
    assert silent.requires_grad is False and len(silent.parents) == 0, "no_grad: the operation was recorded"
    assert (-x).requires_grad is True, "no_grad: recording must go on after the block"


check_no_grad()

# %% check="no-grad-restore" points=4
def check_no_grad_restore():
    x = Tensor([1.0, 2.0], requires_grad=True)
    with no_grad():
        with no_grad():
            pass
        between = -x
    assert between.requires_grad is False, "no_grad: leaving an inner block must not switch recording on"
    try:
        with no_grad():
            raise KeyError("an exception inside the block")
    except KeyError:
        pass
    assert (-x).requires_grad is True, "no_grad: recording must be restored after an exception, too"


check_no_grad_restore()

# %%
Tensor.recording = True  # whatever happened above, the next questions start with the tape running

# %% [markdown]
# ## 7. Checking gradients with finite differences (8 points)
#
# How do you know that a rule is right? Not by reading it again. A derivative can be measured: push one input a little up and a little down, and see how the result moves.
# For $f$ that maps an array to one number, and each position $i$ of the array,
#
# $$n_i = \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2\varepsilon},$$
#
# where $e_i$ is 1 at position $i$ and 0 elsewhere. Why from both sides? Taylor's formula says that this *central* difference is off by about $\frac{\varepsilon^2}{6} f'''$, while
# the one-sided $\frac{f(x+\varepsilon) - f(x)}{\varepsilon}$ is off by $\frac{\varepsilon}{2} f''$. For $f(x) = x^3$ at $x = 1$ with $\varepsilon = 0.1$ (derivative 3) the first gives 3.01, the second 3.31.
# A smaller $\varepsilon$ is not always better: $f$ itself is known only to 16 digits, and dividing its rounding error by $2\varepsilon$ blows it up. $\varepsilon = 10^{-6}$ is a good middle.
# Measuring costs two runs of $f$ for each input. That is why it is a check and not a way to train.
#
# Then compare with the gradient $a$ that the tape gives. Relative where the numbers are large, absolute where they are small:
#
# $$e = \max_i \frac{|a_i - n_i|}{\max(1, |a_i|, |n_i|)}, \qquad \text{the gradient passes if } e \le \mathrm{tol}.$$
#
# If $f$'s result is not on the tape (`requires_grad` is False) or the tape never reaches $x$, then $a = 0$.
#
# Two functions to try it on, both $\sum_i x_i^3$. The rule of the second is wrong, and `gradcheck` must notice.

# %%
def cube_sum(t):
    return node((t.data**3).sum(), (t,), lambda grad: (3 * t.data**2 * grad,))


def wrong_cube_sum(t):
    return node((t.data**3).sum(), (t,), lambda grad: (2 * t.data**2 * grad,))


# %% solve="gradcheck"
def numerical_gradient(f, x, eps=1e-6):
    r"""Central differences (f(x + eps e_i) - f(x - eps e_i)) / (2 eps) for each position i of x.

    f    takes a Tensor of x's shape and returns a Tensor of shape ()
    x    float64 array of any shape, () included; afterwards exactly, bit for bit, what it was before
    Returns an array of x's shape.
    """
    raise NotImplementedError("numerical_gradient: two runs of f for each element of x")


def gradcheck(f, x, eps=1e-6, tol=1e-6):
    r"""True if the tape's gradient of f at x agrees with numerical_gradient(f, x, eps), else False.

    Agrees: max over i of |a_i - n_i| / max(1, |a_i|, |n_i|) <= tol, where a is the tape's and n the numerical gradient.
    f, x   as in numerical_gradient; x is not changed
    """
    raise NotImplementedError("gradcheck: compare backward with numerical_gradient")


# %% check="gradcheck-numerical" points=4
def check_gradcheck_numerical():
    point = np.array([[1.0, -2.0], [0.5, 3.0]])
    measured = np.asarray(numerical_gradient(cube_sum, point))
    assert measured.shape == (2, 2), "numerical_gradient: one number for each element of x"
    assert np.allclose(measured, [[3.0, 12.0], [0.75, 27.0]], atol=1e-7)
    assert np.isclose(float(numerical_gradient(cube_sum, np.array(1.0), eps=0.1)), 3.01), "numerical_gradient: central differences"
    assert np.array_equal(point, [[1.0, -2.0], [0.5, 3.0]]), "numerical_gradient: x was changed"


check_gradcheck_numerical()

# %% check="gradcheck" points=4
def check_gradcheck():
    point = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert bool(gradcheck(cube_sum, point)) is True, "gradcheck: a right gradient was rejected"
    assert bool(gradcheck(wrong_cube_sum, point)) is False, "gradcheck: a wrong gradient was accepted"


check_gradcheck()

# %% [markdown]
# Now turn the check on your own operations. Nothing here is graded, but if a line says `False`, a rule above is wrong; find it before you go on.

# %%
for name, f in {
    "mean of products": lambda t: (t * t * 0.5 + t).mean(),
    "matmul": lambda t: (t @ np.arange(6.0).reshape(3, 2)).sum(),
    "exp, sum, log": lambda t: t.exp().sum(axis=1).log().sum(),
    "max, relu": lambda t: (t.max(axis=0, keepdims=True) - t).relu().sum(),
}.items():
    try:
        print(f"{name:18s}", gradcheck(f, np.array([[0.3, -1.2, 0.7], [1.1, 0.4, -0.6]])))
    except Exception as problem:
        print(f"{name:18s}", "not yet:", problem)

# %% [markdown]
# ## 8. A network that learns (12 points)
#
# A multilayer perceptron for $n$ points with $d$ features and $c$ classes. Its parameters are a list `[W1, b1, W2, b2, …]`: layer $k$ computes
#
# $$h_k = \mathrm{relu}(h_{k-1} W_k + b_k), \qquad h_0 = x,$$
#
# with $W_k$ of shape `(inputs, outputs)` and $b_k$ of shape `(outputs,)`; the **last** layer has no relu. Its output, the *logits* $\ell$ of shape `(n, c)`, scores each class.
#
# **Loss.** Softmax turns scores into probabilities, and the cross-entropy is the mean surprise about the right class $y_i$:
#
# $$L = \frac1n \sum_{i=1}^{n} \Big( \ln \sum_{j=1}^{c} e^{\ell_{ij}} - \ell_{i,y_i} \Big).$$
#
# Computed literally, $e^{1000}$ overflows. Subtract the row's largest logit first, which changes nothing: with $s_{ij} = \ell_{ij} - \max_j \ell_{ij}$,
# $L = \frac1n \sum_i ( \ln \sum_j e^{s_{ij}} - s_{i,y_i} )$. Picking $s_{i,y_i}$ out of a row is a product with a matrix of zeros and ones, and a sum.
# Every operation in it is on the tape, so the gradient needs no thought. It comes out as $\frac1n(\mathrm{softmax}(\ell)_{ij} - [j = y_i])$, a good thing to know when you debug.
# With all logits equal the loss is $\ln c$; for $c = 3$ that is 1.0986.
#
# **Training** is gradient descent on the whole data set. In each step: clear all gradients, compute the loss, call `backward`,
# and change each parameter by $\theta \leftarrow \theta - \eta\,\bar\theta$, where $\eta$ is the learning rate. The change itself must not be recorded
# (work on `data`, which the tape doesn't see; `no_grad` is for steps that are written with tensors).
#
# On the three spirals below, a network with layers of 2, 24, 24 and 3 units starts at a loss of 1.4284. After 300 steps with $\eta = 0.5$ the loss is about 0.011 and
# every point is on the right side. Gradients that are nearly right don't get there.

# %%
def spirals(points=60, seed=7):
    """Three interleaved spiral arms: x of shape (3 * points, 2), labels of shape (3 * points,) in {0, 1, 2}."""
    rng = np.random.default_rng(seed)
    radius = np.linspace(0.1, 1.0, points)
    arms = []
    for arm in range(3):
        angle = 4.0 * radius + 2.0 * np.pi * arm / 3.0 + 0.15 * rng.normal(size=points)
        arms.append(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
    return np.concatenate(arms), np.repeat(np.arange(3), points)


def new_parameters(sizes, seed=0):
    """[W1, b1, W2, b2, ...] for layers of the given sizes: normal weights of variance 2 / inputs, zero biases."""
    rng = np.random.default_rng(seed)
    parameters = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:]):
        weight = rng.normal(size=(inputs, outputs)) * np.sqrt(2.0 / inputs)
        parameters += [Tensor(weight, requires_grad=True), Tensor(np.zeros(outputs), requires_grad=True)]
    return parameters


# %% solve="training"
def cross_entropy(logits, labels):
    r"""Mean over i of (ln sum_j exp(logits[i, j]) - logits[i, labels[i]]), finite for logits of any size.

    logits  Tensor (n, c)
    labels  int array (n,) with values in 0..c-1
    Returns a Tensor of shape (); backward gives the gradient of logits.
    """
    raise NotImplementedError("cross_entropy: subtract each row's maximum first")


def mlp(x, parameters):
    r"""Logits of a network with parameters [W1, b1, W2, b2, ...]; relu after every layer but the last.

    x       Tensor (n, d)
    Returns a Tensor (n, c), where c is the number of columns of the last W.
    """
    raise NotImplementedError("mlp: relu(h @ W + b), the last layer without relu")


def train(parameters, x, labels, steps, learning_rate):
    r"""Full-batch gradient descent on cross_entropy(mlp(x, parameters), labels); changes the data of the parameters.

    parameters      list of Tensors [W1, b1, ...]; gradients left in them by earlier calls don't count
    x, labels       float64 array (n, d), int array (n,)
    Returns the list of `steps` losses (floats), each computed before that step's change.
    """
    raise NotImplementedError("train: clear, forward, backward, change")


# %% check="training-loss" points=4
def check_training_loss():
    loss = cross_entropy(Tensor(np.zeros((4, 3))), np.array([0, 1, 2, 0]))
    assert np.asarray(loss.data).shape == (), "cross_entropy: the loss is a single number of shape ()"
    assert np.isclose(float(loss.data), 1.0986122886681098), "cross_entropy: with equal logits the loss is ln c"
    logits = Tensor([[1000.0, 0.0], [0.0, 0.0]], requires_grad=True)
    loss = cross_entropy(logits, np.array([0, 1]))
    loss.backward()
    assert np.isclose(float(loss.data), 0.34657359027997264), "cross_entropy: subtract the maximum before exp"
    assert np.allclose(logits.grad, [[0.0, 0.0], [0.25, -0.25]]), "cross_entropy: gradient"


check_training_loss()

# %% check="training-gradients" points=4
def check_training_gradients():
    parameters = new_parameters([2, 3, 2])
    inputs = np.array([[0.5, -1.0], [2.0, 1.0], [0.0, 0.25]])
    output = mlp(Tensor(inputs), parameters)
    hidden_layer = np.maximum(inputs @ parameters[0].data + parameters[1].data, 0.0)
    assert np.allclose(output.data, hidden_layer @ parameters[2].data + parameters[3].data), "mlp: relu after every layer but the last"
    cross_entropy(output, np.array([0, 1, 1])).backward()
    assert [p.grad.shape for p in parameters] == [(2, 3), (3,), (3, 2), (2,)], "mlp: each gradient has its parameter's shape"
    assert np.isclose(np.sum(parameters[3].grad), 0.0), "the gradients of the last bias sum to zero"


check_training_gradients()

# %% check="training" points=4
def check_training():
    points, labels = spirals()
    parameters = new_parameters([2, 24, 24, 3])
    losses = train(parameters, points, labels, steps=300, learning_rate=0.5)
    assert len(losses) == 300
    assert abs(losses[0] - 1.4284) < 1e-4, "train: the first loss is that of the untouched parameters"
    assert losses[-1] < 0.02, "train: the loss doesn't fall as it should"
    predicted = np.argmax(mlp(Tensor(points), parameters).data, axis=1)
    assert np.mean(predicted == labels) > 0.98, "train: too many points are misclassified"


check_training()

# %% [markdown]
# ## What you have built
#
# With these few functions you have the core of every framework: operations with local rules, a recorded graph, one ordered walk back. What the large ones add is
# speed and reach: kernels for accelerators, hundreds of operations with their rules, graphs that are captured once, simplified and compiled, and
# checkpointing that forgets part of the tape and computes it again when memory runs short. The semantics that you met here are theirs as well:
# gradients of leaves accumulate, broadcasting is summed back, recording is off inside `no_grad`.
