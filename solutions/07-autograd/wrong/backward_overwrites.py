# mistake = "backward keeps only the last share of a tensor that is used several times (= instead of +=)"
# changes = ["backward", "training"]
# mark = 80

# %% solve="backward"
def backward(root, grad=None):
    if not root.requires_grad:
        raise ValueError("backward: root doesn't require a gradient")
    if grad is None:
        if root.data.size != 1:
            raise ValueError("backward: root has more than one element, so grad must be given")
        grad = np.ones(root.data.shape)
    flowing = {id(root): np.array(grad, dtype=np.float64)}
    for tensor in reversed(topological_order(root)):
        total = flowing.pop(id(tensor), None)
        if total is None:
            continue
        if not tensor.parents:
            tensor.grad = total if tensor.grad is None else tensor.grad + total
            continue
        for parent, share in zip(tensor.parents, tensor.rule(total)):
            if parent.requires_grad:
                flowing[id(parent)] = share
