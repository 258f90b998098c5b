# kind = "escape"
# goal = "a door in the kernel"
# trick = "system calls that no program of a student's needs, by their numbers"
# mark = 0
# %%
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "ptrace": 101, "syslog": 103, "ustat": 136, "sysfs": 139, "vhangup": 153, "modify_ldt": 154, "adjtimex": 159, "acct": 163,
    "settimeofday": 164, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172,
    "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179, "setxattr": 188, "io_setup": 206,
    "lookup_dcookie": 212, "remap_file_pages": 216, "clock_settime": 227, "mq_open": 240, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "ioprio_set": 251, "migrate_pages": 256, "vmsplice": 278, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317, "kexec_file_load": 320,
    "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_register": 427, "pidfd_open": 434, "pidfd_getfd": 438,
    "process_madvise": 440, "quotactl_fd": 443, "memfd_secret": 447, "set_mempolicy_home_node": 450, "map_shadow_stack": 453,
    "shmget": 29, "semget": 64, "msgget": 68, "uselib": 134, "_sysctl": 156, "create_module": 174, "nfsservctl": 180, "newer": 600,
}
EPERM, ENOSYS = 1, 38
found = []
for name, number in calls.items():
    for arguments in ((0, 0, 0, 0, 0), (1, 1, 0x1000, 0, 0), (1, 3, -1, 0, 0)):
        ctypes.set_errno(0)
        answer = libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments))
        # Any other error means that the kernel looked at the arguments.
        if answer != -1 or ctypes.get_errno() not in (EPERM, ENOSYS):
            found.append((name, arguments, answer, ctypes.get_errno()))
print("FOUND:", found)
