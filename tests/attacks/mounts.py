# kind = "escape"
# goal = "the host's files"
# trick = "mount, umount, chroot, pivot_root and the new mount calls"
# mark = 0
# %%
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.makedirs("/tmp/new/old", exist_ok=True)
found = []
def tried(name, answer):
    if answer != -1:
        found.append(name)
for target in (b"/", b"/tmp", b"/usr", b"/proc", b"/dev", b"/opt/mlsys"):
    for flags in (0x20, 0x1000, 0x1020, 0x4000, 0x80000, 0x100000):  # REMOUNT, BIND, MOVE…
        tried(("mount", target, flags), libc.mount(target, target, None, flags, None))
    for flags in (0, 1, 2, 8):
        tried(("umount", target, flags), libc.umount2(target, flags))
for kind in (b"tmpfs", b"proc", b"sysfs", b"cgroup", b"devtmpfs", b"overlay", b"fuse"):
    tried(("mount", kind), libc.mount(kind, b"/tmp/new", kind, 0, None))
    tried(("fsopen", kind), libc.syscall(430, kind, 0))
tried("chroot", libc.chroot(b"/tmp/new"))
tried("pivot_root", libc.syscall(155, b"/tmp/new", b"/tmp/new/old"))
tried("open_tree", libc.syscall(428, -100, b"/", 1))
tried("move_mount", libc.syscall(429, -100, b"/tmp/new", -100, b"/tmp", 0))
tried("fspick", libc.syscall(433, -100, b"/", 0))
tried("mount_setattr", libc.syscall(442, -100, b"/", 0, (ctypes.c_uint64 * 4)(0, 1), 32))
tried("statmount", libc.syscall(457, (ctypes.c_uint64 * 3)(24, 1, 1), ctypes.create_string_buffer(512), 512, 0))
tried("listmount", libc.syscall(458, (ctypes.c_uint64 * 3)(24, 2**64 - 1, 0), ctypes.create_string_buffer(512), 64, 0))
print("FOUND:", found)
