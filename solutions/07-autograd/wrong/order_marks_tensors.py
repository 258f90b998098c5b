# mistake = "topological_order leaves a mark on the tensors it has met, so a second walk finds nothing"
# changes = ["topological-order", "backward", "training"]
# mark = 82

# %% solve="topological-order"
def topological_order(root):
    order = []
    stack = [(root, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif not getattr(tensor, "met", False):
            tensor.met = True
            stack.append((tensor, True))
            stack.extend((parent, False) for parent in tensor.parents)
    return order
