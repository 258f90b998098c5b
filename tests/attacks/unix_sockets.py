# kind = "escape"
# goal = "a service of the host that listens on a unix socket"
# trick = "every socket in the file system and every known abstract name, of every kind"
# mark = 0
# %%
import os, socket, stat
names = ["/run/docker.sock", "/var/run/docker.sock", "/run/systemd/notify", "/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log", "/tmp/.X11-unix/X0"]
names += ["\0/tmp/.X11-unix/X0", "\0/tmp/dbus-x", "\0/org/kernel/linux/storage/multipathd", "\0acpid", "\0systemd", "\0/containerd-shim/moby/x/shim.sock", "\0ISCSIADM_ABSTRACT_NAMESPACE"]
names += ["\0" + line.split()[-1][1:] for line in open("/proc/net/unix") if "@" in line] if os.path.exists("/proc/net/unix") else []
for folder, inner, files in os.walk("/"):
    inner[:] = [name for name in inner if os.path.join(folder, name) not in ("/proc", "/sys", "/usr")]
    inner[:] = [name for name in inner if name != "site-packages"]
    names += [path for name in files if stat.S_ISSOCK(os.lstat(path := os.path.join(folder, name)).st_mode)]
found = []
for name in names:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        try:
            socket.socket(socket.AF_UNIX, kind).connect(name)
            found.append((name, kind))
        except OSError:
            pass
for family in range(64):
    for kind in (1, 2, 3, 4, 5, 1 | 0x800, 1 | 0x80000):
        for protocol in (0, 1, 3, 6, 15, 255):
            if family != socket.AF_UNIX:
                try:
                    socket.socket(family, kind, protocol)
                    found.append((family, kind, protocol))
                except OSError:
                    pass
print("FOUND:", found)
