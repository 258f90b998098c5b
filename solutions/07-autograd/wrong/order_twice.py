# mistake = "topological_order checks for a met tensor when it pushes, marks it when it pops, and so lists some twice"
# changes = ["topological-order", "backward"]
# mark = 83

# %% solve="topological-order"
def topological_order(root):
    order, met = [], set()
    stack = [(root, False)]
    while stack:
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
            continue
        met.add(id(tensor))
        stack.append((tensor, True))
        for parent in tensor.parents:
            if id(parent) not in met:
                stack.append((parent, False))
    return order
