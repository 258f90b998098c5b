# mistake = "the hidden ranges are taken before the ReLU"
# changes = ["mlp"]
# mark = 90

# %% solve="mlp"
def quantize_mlp(params, batches):
    model = []
    s_x, z_x = affine_params(*minmax_range(batches))
    for k, (w, b) in enumerate(params):
        batches = [h @ w + b for h in batches]
        s_y, z_y = affine_params(*minmax_range(batches))
        if k < len(params) - 1:
            batches = [np.maximum(h, 0) for h in batches]
        s_w = symmetric_scale(w, axis=1)
        model.append({"qw": quantize_symmetric(w, s_w, axis=1), "qb": quantize_bias(b, s_x, s_w), "s_w": s_w,
                      "s_x": s_x, "z_x": z_x, "s_y": s_y, "z_y": z_y})
        s_x, z_x = s_y, z_y
    return model


def run_quantized(model, x):
    q = quantize(x, model[0]["s_x"], model[0]["z_x"])
    for layer in model:
        acc = int8_matmul(q, layer["qw"], layer["z_x"]) + layer["qb"]
        q = requantize(acc, layer["s_x"], layer["s_w"], layer["s_y"], layer["z_y"])
    return dequantize(q, model[-1]["s_y"], model[-1]["z_y"])


def model_bytes(model):
    weights = sum(layer["qw"].size for layer in model)
    biases = sum(layer["qb"].size for layer in model)
    return 4 * (weights + biases), weights + 8 * biases + 5 * len(model) + 5
