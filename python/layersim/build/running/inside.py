"""The program that a sandbox starts in new namespaces: it mounts, changes its root, and becomes the command.

It is run by itself, as ``python -I -S inside.py SPEC STATUS``, and imports nothing of this library. SPEC is a JSON
file; on the descriptor STATUS it writes ``ready`` before it becomes the command, and what went wrong otherwise.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import TypedDict

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND = 1, 2, 4, 8, 32, 4096
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
# Docker's default: chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot
# mknod audit_write setfcap.
CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31})
CAPABILITY_WORDS = 64
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = (
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
)
READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
HIDDEN = ("kcore", "keys", "timer_list", "sched_debug")
EMPTIED = ("/proc/acpi", "/sys/firmware")
KEPT_FLAGS = NOSUID | NODEV | NOEXEC

libc = ctypes.CDLL(None, use_errno=True)


class Mounted(TypedDict):
    """One mount: a file or directory of the host, or a tmpfs where there is no source."""

    target: str
    source: str
    options: str
    is_folder: bool
    flags: int


class Spec(TypedDict):
    """What the sandbox wants to be done."""

    folder: str
    options: str
    files: dict[str, str]
    files_flags: int
    scripts: dict[str, str]
    mounts: list[Mounted]
    hostname: str
    cwd: str
    uid: int
    gid: int
    groups: list[int]
    sets_ids: bool
    command: list[str]
    env: dict[str, str]


def call(name: str, *arguments: str | int | None) -> None:
    """Make a system call that answers 0; an error names its last path."""
    values = [os.fsencode(value) if isinstance(value, str) else value for value in arguments]
    if getattr(libc, name)(*values) != 0:
        number = ctypes.get_errno()
        places = [value for value in arguments if isinstance(value, str)]
        raise OSError(number, f"{name}: {os.strerror(number)}", places[-1] if places else None)


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount; what fails names the target."""
    try:
        call("mount", source, target, kind, ctypes.c_ulong(flags).value, options)
    except OSError as error:
        raise OSError(error.errno, error.strerror, target) from error


def bind(descriptor: int, target: str, flags: int = 0) -> None:
    """Show an open file of the host at a path, with more restrictions than it has."""
    if not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o755))
    mount(f"/proc/self/fd/{descriptor}", target, None, BIND)
    if flags:
        kept = os.statvfs(target).f_flag & KEPT_FLAGS
        mount(target, target, None, BIND | REMOUNT | flags | kept)


class RefusedError(Exception):
    """Something that a step asks for cannot be mounted; an engine's command fails with code 1 then."""


def make_mounts(mounts: list[Mounted], sources: list[int]) -> None:
    """Mount what a step asks for, in its order; what there is nothing to mount at for is made."""
    for one, source in zip(mounts, sources, strict=True):
        if os.path.realpath(one["target"]).startswith(("/proc/", "/sys/")):
            raise OSError(errno.EINVAL, "cannot be mounted in what belongs to the kernel", one["target"])
        if not os.path.exists(one["target"]):
            make_target(one)
        if one["source"]:
            bind(source, one["target"], one["flags"])
        else:
            mount("tmpfs", one["target"], "tmpfs", one["flags"], one["options"])


def make_target(one: Mounted) -> None:
    """Make the directory or the empty file that is to be mounted over."""
    path = Path(one["target"])
    if one["is_folder"]:
        path.mkdir(0o755, parents=True)
        return
    path.parent.mkdir(0o755, parents=True, exist_ok=True)
    path.touch(0o755)


def make_root(spec: Spec) -> None:
    """Mount the union and what every container has in it, then leave the host's tree behind."""
    host = os.open("/", os.O_PATH | os.O_DIRECTORY)
    devices = {name: os.open(f"/dev/{name}", os.O_PATH) for name in DEVICES}
    files = {path: os.open(source, os.O_PATH) for path, source in (spec["files"] | spec["scripts"]).items()}
    sources = [os.open(one["source"] or "/", os.O_PATH) for one in spec["mounts"]]
    os.chdir(spec["folder"])  # names of lower directories are relative: all options must fit one page
    mount("overlay", "merged", "overlay", NODEV, spec["options"])
    # Paths are resolved below the new root, so that no link of the image leads out of it.
    os.chroot("merged")
    os.chdir("/")
    mount("proc", "/proc", "proc", NOSUID | NODEV | NOEXEC)
    mount("sysfs", "/sys", "sysfs", NOSUID | NODEV | NOEXEC | RDONLY)
    make_devices(devices)
    for path, descriptor in files.items():
        bind(descriptor, path, spec["files_flags"] if path in spec["files"] else 0)
    protect(devices["null"])
    try:
        make_mounts(spec["mounts"], sources)
    except OSError as error:
        raise RefusedError(f"error mounting at {error.filename}: {error.strerror}") from error
    os.fchdir(host)
    os.chroot(".")
    os.chdir(f"{spec['folder']}/merged")
    call("pivot_root", ".", ".")
    call("umount2", ".", MNT_DETACH)
    os.chdir("/")
    for descriptor in (host, *devices.values(), *files.values(), *sources):
        os.close(descriptor)


def make_devices(devices: dict[str, int]) -> None:
    """Fill `/dev`, with devices of the host that every process may use."""
    mount("tmpfs", "/dev", "tmpfs", NOSUID | NODEV, "mode=755,size=65536k")
    for name, descriptor in devices.items():
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        bind(descriptor, f"/dev/{name}")
    for target, path in DEVICE_LINKS:
        os.symlink(target, path)
    for path in ("/dev/pts", "/dev/shm", "/dev/mqueue"):
        os.mkdir(path, 0o755)
    mount("devpts", "/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    mount("mqueue", "/dev/mqueue", "mqueue", NOSUID | NODEV | NOEXEC)
    mount("shm", "/dev/shm", "tmpfs", NOSUID | NODEV | NOEXEC, "mode=1777,size=65536k")


def protect(null: int) -> None:
    """Make what root could change of the host's kernel read-only, and hide what tells of the host."""
    for name in READ_ONLY:
        path = f"/proc/{name}"
        if os.path.exists(path):
            mount(path, path, None, BIND)
            mount(path, path, None, BIND | REMOUNT | RDONLY | NOSUID | NODEV | NOEXEC)
    for name in HIDDEN:
        if os.path.exists(f"/proc/{name}"):
            bind(null, f"/proc/{name}")
    for path in EMPTIED:
        if os.path.exists(path):
            mount("tmpfs", path, "tmpfs", RDONLY | NODEV)


def start_loopback() -> None:
    """Bring up the one network interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(channel, SIOCGIFFLAGS, asked))[1]
        fcntl.ioctl(channel, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def become(spec: Spec) -> None:
    """Go to the working directory, drop what a container may not do, and become the user."""
    os.umask(0o022)
    os.makedirs(spec["cwd"], 0o755, exist_ok=True)
    os.chdir(spec["cwd"])
    for capability in range(CAPABILITY_WORDS):
        if capability not in CAPABILITIES:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # one that the kernel does not know is no loss
    if spec["sets_ids"]:
        os.setgroups(spec["groups"])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    # A change of the user forgets it: whoever waits for this process takes it along.
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def main(spec_path: str, status: int) -> None:
    """Do all of it; does not return."""
    os.set_inheritable(status, False)
    spec: Spec = json.loads(Path(spec_path).read_bytes())
    try:
        make_root(spec)
        start_loopback()
        call("sethostname", spec["hostname"], len(spec["hostname"]))
        become(spec)
    except RefusedError as error:
        os.write(status, b"ready")
        os.write(2, f"{error}\n".encode("utf-8", "surrogateescape"))
        os._exit(1)
    except OSError as error:
        os.write(status, f"{error.filename or ''}: {error.strerror}".encode("utf-8", "surrogateescape"))
        os._exit(1)
    os.write(status, b"ready")
    try:
        os.execvpe(spec["command"][0], spec["command"], spec["env"])
    except OSError as error:
        os.write(status, why_not_started(spec["command"][0], error).encode("utf-8", "surrogateescape"))
        os._exit(1)


def why_not_started(program: str, error: OSError) -> str:
    """Say as runc does why a program cannot be started."""
    if not isinstance(error, FileNotFoundError):
        return f'exec: "{program}": {(error.strerror or "").lower()}'
    if "/" in program:
        return f'exec: "{program}": stat {program}: no such file or directory'
    return f'exec: "{program}": executable file not found in $PATH'


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
