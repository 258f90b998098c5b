# kind = "escape"
# goal = "a process that the kernel treats otherwise"
# trick = "prctl and personality: no address randomization, readable memory that runs, its own memory map, another filter"
# mark = 0
# %%
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
found = []
for persona in (0x0040000, 0x0400000, 0x0100000, 0x0200000, 0x0008, 0x20000):
    if libc.personality(persona) != -1:
        found.append(("personality", hex(persona)))
blank = ctypes.create_string_buffer(64)
for option, arguments in {
    "SET_SECCOMP": (22, 2, blank), "SET_SECCOMP strict": (22, 3, blank), "SET_MM": (35, 8, 0x1000, 0, 0), "SET_MM map": (35, 14, blank, 64, 0),
    "SECUREBITS": (28, 1), "NO_NEW_PRIVS off": (38, 0, 0, 0, 0), "KEEPCAPS and AMBIENT": (47, 2, 0, 0, 0), "CAPBSET_DROP": (24, 0), "MCE_KILL": (33, 1, 1, 0, 0),
}.items():
    if libc.prctl(arguments[0], *arguments[1:]) == 0:
        found.append(option)
print("FOUND:", found)
