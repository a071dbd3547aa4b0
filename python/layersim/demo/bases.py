"""The base images of the embedded example: Debian, Node.js and Python on it, and nginx on Alpine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from layersim._core import mkdir, symlink, write
from layersim.demo.recipe import Recipe, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim._core import Edit

_PATTERN = bytes(range(256)) * 256
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/bin"
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"


def filled(path: str, size: int, mode: int = 0o644) -> Edit:
    """Make a file of a given size in bytes; what is in it plays no part in the story."""
    start = path.encode()
    return write(path, (start + _PATTERN * (size // len(_PATTERN) + 1))[:size], mode=mode)


def directories(paths: str) -> Iterable[Edit]:
    """Make directories, given as words in the order of their making."""
    return (mkdir(f"/{path}") for path in paths.split())


def _debian_root() -> tuple[Edit, ...]:
    return (
        *directories(
            "dev etc home opt proc root run srv sys tmp usr usr/bin usr/lib usr/lib/x86_64-linux-gnu usr/local"
        ),
        *directories("usr/local/bin usr/local/lib usr/sbin usr/share usr/share/doc var var/cache var/lib var/lib/dpkg"),
        *(symlink(f"/{name}", f"usr/{name}") for name in ("bin", "lib", "sbin")),
        symlink("/usr/bin/sh", "bash"),
        write("/etc/debian_version", b"12.8\n"),
        write("/etc/hostname", b"debian\n"),
        write("/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n"),
        filled("/usr/bin/bash", 1_265_648, 0o755),
        filled("/usr/bin/perl", 3_790_232, 0o755),
        filled("/usr/bin/apt", 18_752, 0o755),
        filled("/usr/bin/dpkg", 318_272, 0o755),
        *(filled(f"/usr/bin/coreutils-{n:02}", 47_904 + 1_024 * n, 0o755) for n in range(60)),
        filled(f"{_LIBRARIES}/libc.so.6", 1_922_136, 0o755),
        filled(f"{_LIBRARIES}/libcrypto.so.3", 4_709_272),
        filled(f"{_LIBRARIES}/libstdc++.so.6.0.30", 2_190_440),
        symlink(f"{_LIBRARIES}/libstdc++.so.6", "libstdc++.so.6.0.30"),
        filled(f"{_LIBRARIES}/libapt-pkg.so.6.0", 2_012_504),
        filled("/usr/lib/locale.archive", 3_061_504),
        *(filled(f"/usr/share/doc/copyright-{n:02}", 9_216) for n in range(80)),
        filled("/var/lib/dpkg/status", 76_800),
    )


def debian() -> Recipe:
    """Make a base like ``debian:12-slim``: one layer."""
    return Recipe(
        tag="debian:12",
        age=timedelta(weeks=9),
        steps=(
            Step("# debian.sh --arch 'amd64' out/ 'bookworm'", _debian_root(), comment="debuerreotype 0.15"),
            Step('CMD ["bash"]', settings={"Cmd": ["bash"]}, environment=_PATH),
        ),
    )


def _node_files() -> tuple[Edit, ...]:
    return (
        filled("/usr/local/bin/node", 39_845_632, 0o755),
        *directories("usr/local/lib/node_modules usr/local/lib/node_modules/npm usr/local/lib/node_modules/npm/bin"),
        symlink("/usr/local/bin/npm", "../lib/node_modules/npm/bin/npm-cli.js"),
        *(filled(f"/usr/local/lib/node_modules/npm/bin/{name}-cli.js", 54_272, 0o755) for name in ("npm", "npx")),
        *(filled(f"/usr/local/lib/node_modules/npm/module-{n:03}.js", 40_960 + 512 * n) for n in range(130)),
    )


def node(base: Recipe) -> Recipe:
    """Make a base with Node.js."""
    return Recipe(
        tag="node:20",
        age=timedelta(weeks=3),
        base=base,
        steps=(
            Step(
                "RUN /bin/sh -c useradd --uid 1000 --create-home node # buildkit",
                (
                    mkdir("/home/node"),
                    write("/etc/passwd", b"root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/bash\n"),
                ),
            ),
            Step("ENV NODE_VERSION=20.18.1", environment="NODE_VERSION=20.18.1"),
            Step(
                'RUN /bin/sh -c curl -fsSL "https://nodejs.org/dist/v$NODE_VERSION" | tar -xJ # buildkit', _node_files()
            ),
            Step('CMD ["node"]', settings={"Cmd": ["node"]}),
        ),
    )


def python(base: Recipe) -> Recipe:
    """Make a base with Python."""
    return Recipe(
        tag="python:3.13",
        age=timedelta(weeks=4),
        base=base,
        steps=(
            Step("ENV PYTHON_VERSION=3.13.1", environment="PYTHON_VERSION=3.13.1"),
            Step(
                "RUN /bin/sh -c ./configure --enable-shared && make install # buildkit",
                (
                    filled("/usr/local/bin/python3.13", 6_834_112, 0o755),
                    symlink("/usr/local/bin/python3", "python3.13"),
                    *directories("usr/local/lib/python3.13 usr/local/lib/python3.13/site-packages"),
                    *(filled(f"/usr/local/lib/python3.13/module_{n:03}.py", 60_416 + 256 * n) for n in range(180)),
                ),
            ),
            Step('CMD ["python3"]', settings={"Cmd": ["python3"]}),
        ),
    )


def nginx() -> Recipe:
    """Make a base with nginx on Alpine, which has no layer in common with Debian."""
    return Recipe(
        tag="nginx:alpine",
        age=timedelta(weeks=6),
        steps=(
            Step(
                "ADD alpine-minirootfs-3.20.3-x86_64.tar.gz / # buildkit",
                (
                    *directories(
                        "bin dev etc home lib proc root run sys tmp usr usr/bin usr/sbin usr/share var var/log"
                    ),
                    write("/etc/alpine-release", b"3.20.3\n"),
                    filled("/bin/busybox", 808_712, 0o755),
                    symlink("/bin/sh", "/bin/busybox"),
                    filled("/lib/ld-musl-x86_64.so.1", 659_552, 0o755),
                    filled("/lib/libcrypto.so.3", 4_584_912, 0o755),
                    filled("/usr/bin/apk-tools", 1_726_464, 0o755),
                ),
            ),
            Step(
                "RUN /bin/sh -c apk add --no-cache nginx # buildkit",
                (
                    *directories("etc/nginx usr/share/nginx usr/share/nginx/html var/log/nginx"),
                    filled("/usr/sbin/nginx", 1_538_360, 0o755),
                    filled("/etc/nginx/nginx.conf", 648),
                    write("/usr/share/nginx/html/index.html", b"<h1>Welcome to nginx!</h1>\n"),
                    symlink("/var/log/nginx/access.log", "/dev/stdout"),
                ),
            ),
            Step(
                'CMD ["nginx" "-g" "daemon off;"]',
                settings={"Cmd": ["nginx", "-g", "daemon off;"]},
                environment=_PATH,
            ),
        ),
    )
