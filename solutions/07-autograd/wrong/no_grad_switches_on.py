# mistake = "no_grad switches recording on at its end, also inside another no_grad"
# changes = ["no-grad"]
# mark = 96

# %% solve="no-grad"
from contextlib import contextmanager


@contextmanager
def no_grad():
    Tensor.recording = False
    try:
        yield
    finally:
        Tensor.recording = True
