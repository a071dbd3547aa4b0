"""References that are odd, and many that are none: what every engine has to agree about."""

from __future__ import annotations

from random import Random

DIGEST = "sha256:" + "0123456789abcdef" * 4
LONG_DIGESTS = ("sha512:" + "ab" * 64, "sha384:" + "ab" * 48)
ID = "f" * 64
HOSTS = (
    *("docker.io/x", "docker.io/library/x", "index.docker.io/x", "docker.io/docker.io/x", "docker.io/foo.com/x"),
    *("docker.io/a/foo.com", "foo.com/x", "foo.com", "foo.com:5000/x", "localhost/x", "localhost:5000/x", "localhost"),
    *("Localhost/x", "LOCALHOST/x", "FOO/x", "Foo.com/x", "DOCKER.IO/x", "Docker.io/x", "foo.COM/x/y", "LocalHost/X"),
    *("[fd00::1]/x", "[fd00::1]:5000/x", "[::1]:80/x", "[FD00::1]/x", "[::]/x", "[]/x", "[fd00::1%25eth0]/x"),
    *("[g::1]/x", "[fd00::1", "fd00::1/x", "[127.0.0.1]/x", "[::ffff:127.0.0.1]/x", "docker.io/[::1]/x", "[::1]"),
    *("127.0.0.1/x", "127.0.0.1:80/x", "1.2.3.4.5/x", "a:80/x", "A:80/x", "a:x/y", "a:/y", "a-.com/x", "-a.com/x"),
    *("a.-b/x", "a_b.com/x", "a_b/x", "a_b:5/x", "a_B.com/x", "foo..com/x", "foo.com./x", ".foo.com/x", "foo.com/"),
    *("foo.com//x", "foo.com:80", "foo.com:99999999/x", "foo.com:0/x", "xn--a.com/x", "docker.io", "docker.io/"),
    *("index.docker.io", "index.docker.io/a/b", "docker.io/localhost/x", "docker.io/localhost:5000/x", "localhost/"),
    *("localhost//x", "x.y:1/z", "ab:cd/ef", "foo.com:٣/x", "http://x/y", "https://foo.com/x", "docker.io/FOO/x"),
    *("docker.io/a_b.com/x", "docker.io/library/foo.com/x", "docker.io/library/localhost/x", "a--b.com/x"),
)
PATHS = (
    *("x", "a/b", "library/x", "foo/X", "X", "Xa/b.C", "a--b", "a---b", "a__b", "a___b", "a.b", "a..b", "a._b", "a_-b"),
    *(
        "-a",
        "a-",
        "_a",
        "a_",
        ".a",
        "a.",
        "a/-b",
        "a//b",
        "/a",
        "a/",
        "/",
        "a b",
        " a",
        "a ",
        "é",
        "a/é",
        "É",
        "\u212a",
    ),
    *("a/b/c/d/e", "sha256", "sha256/x", "docker.io/sha256", "library/sha256", "library/library/x", "library"),
    *("library/foo.com/x", "docker.io/library", "docker.io/library/library/x", "docker.io/X", "foo.com/x/Y"),
    *(ID, "0" * 64, f"library/{ID}", f"docker.io/{ID}", f"foo.com/{ID}", "F" * 64, "f" * 63, "f" * 65, f"a/{ID}"),
    *("a" * 127, "a" * 237, "a" * 238, "a" * 247, "a" * 248, "foo.com/" + "a" * 247, "foo.com/" + "a" * 248),
    *(
        "foo.com/" + "a" * 255,
        "foo.com/" + "a" * 256,
        "a/" * 120 + "b",
        "a" * 255,
        "a" * 300,
        "A" * 300,
        "a/" * 200 + "b",
    ),
    *("none", "<none>", "a\tb", "a\n", "a@b", "a$b", "a+b", "a~b", "a,b", "a=b", "a&b", "a?b", "a#b", "a%b", "a\\b"),
    *("a*b", "x..y", "1", "12", "0x", "a.b/c_d/e-f/g__h", "٣", "a٣"),
)
TAGS = (
    *("x:1", "x:latest", "x:V1", "x:_", "x:-a", "x:.a", "x:a.", "x:a-", "x:a+b", "x:a b", "x:", "x::", "x:a:b", ":"),
    *(
        ":a",
        "x:" + "a" * 128,
        "x:" + "a" * 129,
        "x:é",
        "x:1/",
        "x:1/y",
        "x: ",
        "x:@",
        "x:a@",
        "a/b:c",
        "foo.com:80/x:1",
    ),
    *("foo.com:80:1", "[::1]:5/x:1", "sha256:1", "sha256:abc", "sha256:" + "f" * 63, f"sha256:{ID}"),
    *("sha256:" + "F" * 64, f"sha256:{ID}f", "sha256:" + "g" * 64, *LONG_DIGESTS, "sha512:abc", "md5:" + "f" * 32),
    *("docker.io/x:1", "localhost:1", "localhost:1/x:2", f"{ID}:1", f"library/{ID}:2", "X:1", "x:1\n", "x:٣"),
    *("a" * 300 + ":1", "a.b:c", "sha256:latest", "docker.io/library/sha256:1", "library/x:1", "index.docker.io/x:1"),
)
PINNED = (
    *(f"{name}@{DIGEST}" for name in ("x", "x:1", "X", "a/b", "foo.com/x", "foo.com:5/x:v", "docker.io/library/x")),
    *(
        f"{name}@{DIGEST}"
        for name in ("docker.io/x:1", "[::1]:5/x", "", f"x@{DIGEST}", "x:", "x@", ID, f"library/{ID}")
    ),
    *(f"{name}@{DIGEST}" for name in ("sha256", "x: ", "x:a b", "localhost:5000/x", "localhost", "foo.com:80")),
    *(f"{name}@{DIGEST}" for name in ("a" * 300, "foo.com/" + "a" * 255, "x:" + "a" * 129, "FOO/x")),
    *(f"x@{digest}" for digest in (*LONG_DIGESTS, "sha256:" + "F" * 64, "sha256:" + "f" * 63, f"sha256:{ID}f")),
    *(f"x@{digest}" for digest in ("sha256:abc", "sha256:", "sha256", "", "md5:" + "f" * 32, f"foo:{ID}")),
    *(f"x@{algorithm}:{ID}" for algorithm in ("sha512", "SHA256", "sha256+b64", "sha256+b64u.a", "a.b", "a_b", "a__b")),
    *(f"x@{algorithm}:{ID}" for algorithm in ("1a", "a1", "a.1", "a-b+c", "-a")),
    *("x@foo:" + "f" * 32, "x@foo:" + "f" * 31, "x@sha1:" + "f" * 40, "x@sha256:" + "g" * 64, f"x:1@SHA256:{ID}"),
    *(f"x@{DIGEST}:1", f"x@{DIGEST} ", f"x@{DIGEST}\n", "@", "x:1@sha256:abc", f"x:1@A.b:{ID}"),
)
CORPUS = tuple(dict.fromkeys((*HOSTS, *PATHS, *TAGS, *PINNED)))
PIECES = (
    *("a", "b", "x1", "foo.com", "docker.io", "index.docker.io", "localhost", "library", "sha256", "[::1]", "Ab", "A"),
    *(
        "/",
        "/",
        "/",
        ":",
        ":",
        "@",
        ".",
        "-",
        "_",
        "__",
        "--",
        ":80",
        ":5000/",
        ":latest",
        f"@{DIGEST}",
        DIGEST,
        ID,
        "é",
    ),
)


def random_references(seed: int, count: int) -> list[str]:
    """Return texts of pieces that references are made of, in any order."""
    random = Random(seed)
    texts = ("".join(random.choices(PIECES, k=random.randint(1, 7))) for _ in range(count))
    return list(dict.fromkeys(texts))
