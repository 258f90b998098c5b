# mistake = "no_grad leaves recording off when the block raises"
# changes = ["no-grad"]
# mark = 96

# %% solve="no-grad"
from contextlib import contextmanager


@contextmanager
def no_grad():
    before = Tensor.recording
    Tensor.recording = False
    yield
    Tensor.recording = before
