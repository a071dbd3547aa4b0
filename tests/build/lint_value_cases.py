"""Dockerfiles whose remarks hang on values: variables, build arguments, what is ignored, platforms of images."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One Dockerfile.

    Attributes
    ----------
    text : str
        What stands in it; the images are `bb:1` with a box of commands, and `old:1` for the platform linux/386.
    told : tuple of str
        The remarks, in the order of lines.
    ignore : str
        The `.dockerignore` beside it.
    build_args : dict
        As `--build-arg`.
    """

    text: str
    told: tuple[str, ...] = ()
    ignore: str = ""
    build_args: dict[str, str] = field(default_factory=dict, hash=False)


def remark(rule: str, line: int, text: str) -> str:
    """Return a remark as it is printed."""
    return f"{rule}: {text} (line {line})"


def undefined(line: int, *names: str) -> tuple[str, ...]:
    """Return the remarks about variables, each with what is near: `x` or `x~y`."""
    pairs = [name.partition("~") for name in names]
    near = [f" (did you mean ${other}?)" if other else "" for _, _, other in pairs]
    told = (f"'${name}'{more}" for (name, _, _), more in zip(pairs, near, strict=True))
    return tuple(remark("UndefinedVar", line, f"Usage of undefined variable {text}") for text in told)


def undeclared(line: int, name: str, near: str = "") -> str:
    """Return the remark about an argument of FROM."""
    more = f" (did you mean {near}?)" if near else ""
    return remark("UndefinedArgInFrom", line, f"FROM argument '{name}' is not declared{more}")


def default(line: int, written: str) -> str:
    """Return the remark about a name that is none without build arguments."""
    text = f"Default value for ARG {written} results in empty or invalid base image name"
    return remark("InvalidDefaultArgInFrom", line, text)


def platform(line: int) -> str:
    """Return the remark about the image of another platform."""
    text = 'Base image old:1 was pulled with platform "linux/386", expected "linux/amd64" for current build'
    return remark("InvalidBaseImagePlatform", line, text)


def ignored(line: int, name: str, verb: str = "Copy") -> str:
    """Return the remark about a source that was not sent."""
    return remark("CopyIgnoredFile", line, f'Attempting to {verb} file "{name}" that is excluded by .dockerignore')


def constant(line: int, written: str) -> str:
    """Return the remark about a platform that is no variable."""
    text = f'FROM --platform flag should not use constant value "{written}"'
    return remark("FromPlatformFlagConstDisallowed", line, text)


def redundant(line: int, written: str) -> str:
    """Return the remark about a platform that goes without saying."""
    text = f"Setting platform to predefined {written} in FROM is redundant as this is the default behavior"
    return remark("RedundantTargetPlatform", line, text)


TRIED = "# check=experimental=CopyIgnoredFile\n"
CHECK = "BUILDKIT_DOCKERFILE_CHECK"
PREVENT = "prevent unintended behavior related to OS signals"
UNEXPECTED = "unexpected results if the base image changes"
MAPPING = "an IP address or host-port mapping"
SENSITIVE = "instructions for sensitive data"
VARIABLES = (
    Case("FROM bb:1\nCOPY $foo f /x/\nARG foo=bar\nRUN echo $foo $nope\n", undefined(2, "foo")),
    Case("FROM bb:1\nARG DIR_ASSETS=f\nARG DIR_CONFIG=f\nENV A=$DIR_ASSET\n", undefined(4, "DIR_ASSET~DIR_ASSETS")),
    Case("FROM bb:1\nENV PATH=$PAHT:/bin\n", undefined(2, "PAHT~PATH")),
    Case("FROM bb:1\nENV A=1 B=$A C=$X D=$X\n", undefined(2, "A", "X")),
    Case("FROM bb:1\nARG A=1 B=$A C=$X\nARG D=$Y\n", undefined(2, "X~A"), build_args={"D": "1"}),
    Case("FROM bb:1\nENV $k=1\nLABEL a$l=1\n", (*undefined(2, "k"), *undefined(3, "l"))),
    Case(
        "FROM bb:1\nUSER $uuu\nWORKDIR /$www\nVOLUME /$vvv\nSTOPSIGNAL 9$sss\nEXPOSE 8$eee\n",
        (*undefined(2, "uuu"), *undefined(3, "www"), *undefined(4, "vvv"), *undefined(5, "sss")),
    ),
    Case('FROM bb:1\nSHELL ["/bin/sh","$X"]\nCMD ["$x"]\nHEALTHCHECK CMD $A\nONBUILD COPY f$Y /\nARG $a=1\n'),
    Case("FROM bb:1\nCOPY <<EOF /a\n$foo '$bar' \\$baz\nEOF\nCOPY <<'EOF' /b\n$a\nEOF\n", undefined(2, "foo", "bar")),
    Case("FROM bb:1\nRUN <<EOF\necho $zap\nEOF\nCOPY --exclude=$e f /x/\n"),
    Case("FROM bb:1\nCOPY --chown=$own --chmod=7${m:-55} f /\n", undefined(2, "own", "m")),
    Case(
        "FROM bb:1\nRUN --mount=type=bind,source=${src:-f},target=/m$t true\n"
        "RUN --mount=type=cache,id=$i,target=/m,sharing=${s:-shared},uid=0$g true\n",
        (*undefined(2, "src", "t"), *undefined(3, "i", "s", "g")),
    ),
    Case("ARG G=1\nFROM bb:1\nENV A=$G\nARG G\nENV B=$G\n", undefined(3, "G")),
    Case(
        "FROM bb:1\nENV B=$BUILDPLATFROM C=$HTTP_PROXY D=$BUILDKIT_SBOM_SCAN_STAGE\nARG F=$TARGETARCH\n",
        (*undefined(2, "BUILDPLATFROM", "HTTP_PROXY"), *undefined(3, "TARGETARCH")),
    ),
    Case("FROM bb:1 AS a\nARG foo=f bar\nFROM a\nCOPY $foo$bar /x\nENV A=$fooo\n", undefined(5, "fooo~foo")),
    Case("FROM bb:1 AS a\nENV A=$nope\nFROM bb:1\nENV B=$nopa\n", undefined(4, "nopa")),
    Case("FROM bb:1\nENV abcY=1\nENV abcX=1\nENV B=$abcd\n", undefined(4, "abcd~abcY")),
    Case("FROM bb:1\nENV abcX=1\nENV abcY=2\nENV abcX=3\nENV B=$abcd\n", undefined(5, "abcd~abcY")),
    Case("FROM bb:1 AS b\nARG abcY=2\nENV abcX=1\nFROM b\nENV B=$abcd\n", undefined(5, "abcd~abcY")),
    Case("FROM bb:1\nENV ABCD=1\nENV B=$abcd C=$ABC E=$A\n", undefined(3, "abcd", "ABC~ABCD", "A")),
    Case(
        "FROM bb:1\nENV A=${b-x} B=${c+x} C=${d:+x} D=${e#x} E=${f/x/y} F=${g:-$h} G=${PATH:-$i} H='$j' I=$1\n",
        undefined(2, "b", "c", "d", "e", "f", "h", "g", "i", "1"),
    ),
    Case(
        "FROM bb:1 AS a\nONBUILD ENV A=$X\nONBUILD CMD a\nONBUILD WORKDIR rel\n\nFROM a\nENV B=$X\n",
        (
            remark("JSONArgsRecommended", 6, f"JSON arguments recommended for CMD to {PREVENT}"),
            *undefined(6, "X"),
            remark("WorkdirRelativePath", 6, f'Relative workdir "rel" can have {UNEXPECTED}'),
            *undefined(7, "X~A"),
        ),
    ),
    Case(
        "FROM bb:1\nENV x=/a p=80/TCP q=1:80 k=SECRET\nWORKDIR $x\nEXPOSE $p $q\nENV $k=1\n",
        (
            remark("ExposeInvalidFormat", 4, f"EXPOSE instruction should not define {MAPPING}, found '1:80'"),
            remark("ExposeProtoCasing", 4, "Defined protocol '80/TCP' in EXPOSE instruction should be lowercase"),
            remark("SecretsUsedInArgOrEnv", 5, f'Do not use ARG or ENV {SENSITIVE} (ENV "SECRET")'),
        ),
    ),
)
BASES = (
    Case("ARG tag=1\nFROM bb:${tag}${version}\n", (undeclared(2, "version"),)),
    Case("ARG versoin=1\nFROM bb:1${version} AS b\n", (undeclared(2, "version", "versoin"),)),
    Case("ARG DEBUG\nFROM bb:1${DEBUG}\n"),
    Case("FROM bb:${DEBUG:-1}\n", (undeclared(1, "DEBUG"),)),
    Case("FROM bb:1$X AS a\nFROM bb:1$Y\n", (undeclared(1, "X"), undeclared(2, "Y"))),
    Case("ARG MY_ARCH=amd64\nFROM --platform=linux/${MYARCH:-amd64} bb:1\n", (undeclared(2, "MYARCH", "MY_ARCH"),)),
    Case("FROM --platform=$BUILDPLATFORM$TARGETVARIANT bb:1$TARGETSTAGE\n", build_args={"TARGETSTAGE": ""}),
    Case("ARG VERSION\nFROM bb:$VERSION\n", (default(2, "bb:$VERSION"),), build_args={"VERSION": "1"}),
    Case("ARG IMAGE=A\nFROM $IMAGE AS a\nFROM bb:1\n", (default(2, "$IMAGE"),), build_args={"IMAGE": "bb:1"}),
    Case("ARG A\nARG B=$A\nFROM bb:$B\n", (default(3, "bb:$B"),), build_args={"A": "1"}),
    Case("ARG A\nFROM bb:${A:?no}\n", build_args={"A": "1"}),
    Case("ARG A=${B:?no}\nARG C\nFROM bb:$C\n", build_args={"A": "1", "C": "1"}),
    Case("FROM bb:$TARGETVARIANT\n", build_args={"TARGETVARIANT": "1"}),
    Case("FROM bb:1 AS x\nFROM x AS y\nFROM y\n"),
    Case(
        "FROM --platform=$TARGETPLATFORM bb:1 AS a\nFROM --platform=${TARGETPLATFORM:-x} bb:1\n"
        "FROM --platform=linux/$TARGETARCH bb:1\nFROM --platform=$TARGETPLATFORM$TARGETVARIANT bb:1\n",
        (redundant(1, "$TARGETPLATFORM"), redundant(2, "${TARGETPLATFORM:-x}")),
    ),
    Case(
        "FROM --platform=x86_64 bb:1 AS amd64\nFROM --platform=LINUX/amd64 bb:1 AS lin-amd6\n"
        'FROM --platform="linux/amd64" bb:1\nFROM --platform=linux bb:1\n',
        (constant(2, "LINUX/amd64"), constant(3, "linux/amd64"), constant(4, "linux")),
    ),
    Case("FROM old:1 AS a\nCOPY f /\nFROM a\nCOPY f /\n", (platform(1),)),
    Case("FROM old:1 AS a\nFROM bb:1\nCOPY f /\n"),
    Case("FROM bb:1\nCOPY --from=old:1 /b /\nCOPY --from=old:1 /b /c\n", (platform(2), platform(3))),
    Case("FROM bb:1 AS a\nONBUILD COPY --from=old:1 /b /\nFROM a\n", (platform(3),)),
    Case("FROM bb:1\nRUN --mount=from=old:1,target=/m true\n"),
    Case("FROM --platform=linux/i386 old:1 AS linux\nCOPY f /\n"),
)
COPIES = (
    Case("FROM bb:1\nCOPY *.log /l/\n", ignore="*.log\n"),
    Case(
        f"{TRIED}FROM bb:1\nCOPY *.log /l/\nADD *.log /l/\n", (ignored(3, "*.log"), ignored(4, "*.log", "Add")), "*.log"
    ),
    Case("# check=experimental=all\nFROM bb:1\nCOPY *.log /l/\n", (ignored(3, "*.log"),), "*.log\n!x\n"),
    Case("# check=skip=all;experimental=all\nFROM bb:1 AS B\nCOPY *.log /\n", (ignored(3, "*.log"),), "*.log"),
    Case("# check=experimental=all;experimental=x\nFROM bb:1\nCOPY *.log /\n", (ignored(3, "*.log"),), "*.log"),
    Case("# check=experimental=all,x\nFROM bb:1\nCOPY *.log /\n", (), "*.log"),
    Case("# check=experimental=CopyIgnoredFile;experimental=x\nFROM bb:1\nCOPY *.log /\n", (), "*.log"),
    Case(f"{TRIED}FROM bb:1\nCOPY ./x*.log x*.log/. x/../y*.log /y/\n", (ignored(3, "x*.log/."),), "*.log"),
    Case(f"{TRIED}FROM bb:1\nCOPY d*/ ./d* /\n", (ignored(3, "d*/"),), "d*"),
    Case(f"{TRIED}FROM bb:1\nCOPY x\\?*.log /y/\n", (ignored(3, "x?*.log"),), "*.log"),
    Case(f"{TRIED}FROM bb:1\nCOPY . /\nCOPY /q* /\n", (ignored(3, "."), ignored(4, "/q*")), "*"),
    Case(f"{TRIED}FROM bb:1\nCOPY f q* /\n", (ignored(3, "q*"),), "*\n!f"),
    Case(f"{TRIED}FROM bb:1\nCOPY <<x.log /y/\na\nx.log\nCOPY --from=bb:1 *.log /y/\n", (), "*.log"),
    Case(f"{TRIED}FROM bb:1 AS a\nCOPY q* /\nFROM bb:1\nCOPY q* q* /\n", (ignored(5, "q*"),), "q*"),
    Case("FROM bb:1\nCOPY *.log /\n", (ignored(2, "*.log"),), "*.log", {CHECK: "experimental=all"}),
)
OPTIONS = (
    Case("# check=skip=StageNameCasing, x\nFROM bb:1 AS B\n"),
    Case("# check=skip=all;skip=x\nFROM bb:1$x\n"),
    Case("# check=skip=all,x\nFROM bb:1$x\n", (undeclared(2, "x"),)),
    Case("# check=skip=UndefinedArgInFrom;skip=x\nFROM bb:1$x\n", (undeclared(2, "x"),)),
    Case("# check=skip=x;skip=StageNameCasing\nFROM bb:1 AS B\n"),
    Case("# check=skip=all\nFROM bb:1$x\n", (undeclared(2, "x"),), build_args={CHECK: ""}),
    Case("# check=error=maybe\nFROM bb:1$x\n", (), build_args={CHECK: "skip=all"}),
)
CASES = (*VARIABLES, *BASES, *COPIES, *OPTIONS)
