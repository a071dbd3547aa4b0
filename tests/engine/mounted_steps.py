"""Pairs of RUN steps with mounts, and whether the second is taken from the cache after the first was done."""

from __future__ import annotations

from typing import NamedTuple

BIND = "type=bind,source=dir,target=/m"
CACHE = "type=cache,target=/c"
HIDDEN = "type=secret,id=sec"
SEEN = "cat /m/* > /out 2>&1; true"
FROM = ",from=one,source=/s,target=/m"


class Pair(NamedTuple):
    """What one step has before and after an edit of the Dockerfile, and ``C`` (cached) or ``x``, of 20.10 and later."""

    before: str
    after: str
    states: str
    stage: tuple[str, str] = ("", "")

    def text(self, number: int, *, is_after: bool) -> str:
        """Return the stages of the pair; that which is looked at is called by its number."""
        own, other = (self.after, self.stage[1]) if is_after else (self.before, self.stage[0])
        flags = "--mount=" + own.replace(" ", " --mount=") if own else ""
        name = f"of{number}"
        lines = [f"FROM bb:1 AS {name}", f"ENV N={number}", f"RUN {other}"] if other else []
        own = flags.replace("from=one", f"from={name}")
        return "\n".join([*lines, f"FROM bb:1 AS s{number}", f"ENV N={number}", f"RUN {own} {SEEN}", ""])


def of_stage(kind: str, before: str, after: str, states: str) -> Pair:
    return Pair(f"type={kind}{FROM}", f"type={kind}{FROM}", states, (before, after))


PAIRS = {
    "nothing": Pair(BIND, BIND, "CC"),
    "words_in_another_order": Pair(BIND, "target=/m,source=/dir/,type=bind", "CC"),
    "read_only_said": Pair(BIND, f"{BIND},readonly=true", "CC"),
    "writable": Pair(BIND, f"{BIND},rw", "xx"),
    "target": Pair(BIND, "type=bind,source=dir,target=/m2", "xx"),
    "same_content_elsewhere": Pair(BIND, "type=bind,source=dir2,target=/m", "CC"),
    "same_file_elsewhere": Pair("source=f1,target=/m/f", "source=g1,target=/m/f", "CC"),
    "mounts_in_another_order": Pair(f"{BIND} type=tmpfs,target=/t", f"type=tmpfs,target=/t {BIND}", "CC"),
    "one_more_mount": Pair(BIND, f"{BIND} type=tmpfs,target=/t", "xx"),
    "no_mount": Pair("type=tmpfs,target=/t", "", "xx"),
    "over_each_other": Pair(f"{CACHE} type=tmpfs,target=/c", f"type=tmpfs,target=/c {CACHE}", "xx"),
    "cache_id": Pair(f"{CACHE},id=a", f"{CACHE},id=b", "xC"),
    "cache_id_by_default": Pair(CACHE, f"{CACHE},id=/c", "CC"),
    "cache_sharing": Pair(CACHE, f"{CACHE},sharing=locked", "xx"),
    "cache_sharing_by_default": Pair(CACHE, f"{CACHE},sharing=shared", "CC"),
    "cache_mode": Pair(f"{CACHE},mode=0711", f"{CACHE},mode=0700", "xx"),
    "cache_mode_by_default": Pair(CACHE, f"{CACHE},mode=0755", "xx"),
    "cache_owner": Pair(f"{CACHE},uid=4", f"{CACHE},uid=5", "Cx"),
    "cache_group": Pair(f"{CACHE},gid=4", f"{CACHE},gid=5", "Cx"),
    "cache_read_only": Pair(CACHE, f"{CACHE},ro", "xx"),
    "secret_id": Pair(f"{HIDDEN},target=/s", "type=secret,id=other,target=/s", "xx"),
    "secret_mode": Pair(HIDDEN, f"{HIDDEN},mode=0444", "xx"),
    "secret_mode_by_default": Pair(HIDDEN, f"{HIDDEN},mode=0400", "CC"),
    "secret_owner": Pair(HIDDEN, f"{HIDDEN},uid=3", "xx"),
    "secret_required": Pair(HIDDEN, f"{HIDDEN},required", "xx"),
    "secret_by_source": Pair(HIDDEN, "type=secret,source=sec", "CC"),
    "secret_target_by_default": Pair(HIDDEN, f"{HIDDEN},target=/run/secrets/sec", "CC"),
    "secret_target_relative": Pair(f"{HIDDEN},target=x/y", f"{HIDDEN},target=/x/y", "xx"),
    "ssh": Pair("", "type=ssh", "xx"),
    "ssh_id": Pair("type=ssh", "type=ssh,id=x", "xx"),
    "stage_elsewhere": of_stage("bind", "mkdir /s; echo 1 > /s/f", "mkdir /s; echo 1 > /s/f; echo > /u", "CC"),
    "stage_file": of_stage("bind", "mkdir /s; echo 1 > /s/f", "mkdir /s; echo 2 > /s/f", "xx"),
    "stage_file_time": of_stage(
        "bind", "mkdir /s; echo > /s/f", "mkdir /s; echo > /s/f; touch -d 2001-02-03 /s/f", "CC"
    ),
    "stage_mode": of_stage("bind", "mkdir /s; echo > /s/f", "mkdir -m 700 /s; echo > /s/f", "xx"),
    "stage_mode_below": of_stage("bind", "mkdir -p /s/d", "mkdir -p /s/d; chmod 700 /s/d", "xx"),
    "stage_owner": of_stage("bind", "mkdir -p /s/d", "mkdir -p /s/d; chown 7 /s", "Cx"),
    "stage_writable": of_stage("bind,rw", "mkdir /s; echo 1 > /s/f", "mkdir /s; echo 1 > /s/f; echo > /u", "CC"),
    "cache_of_stage_elsewhere": of_stage(
        "cache", "mkdir /s; echo 1 > /s/f", "mkdir /s; echo 1 > /s/f; echo > /u", "CC"
    ),
    "cache_of_stage": of_stage("cache", "mkdir /s; echo 1 > /s/f", "mkdir /s; echo 2 > /s/f", "xx"),
}
NEWER = {"tmpfs_size": Pair("type=tmpfs,target=/t", "type=tmpfs,target=/t,size=1m", "xx")}
"""What 20.10 has no words for."""

FILES = {"f1": "hello\n", "g1": "hello\n", "dir/x": "x", "dir/sub/y": "y", "dir2/x": "x", "dir2/sub/y": "y"}
EDITS = {"dir/x": "longer", "f1": "other", "dir/new": "new", "ignored": "changed", "g9": "new", "dir/sub/y": "yy"}
"""What is written to the context, one after the other."""
MOUNTED = """FROM bb:1 AS a
RUN --mount=type=bind,source=dir,target=/m true
FROM bb:1 AS b
RUN --mount=type=bind,target=/m true # all
FROM bb:1 AS c
RUN --mount=type=bind,source=f1,target=/m/f true # file
FROM bb:1 AS d
RUN --mount=type=bind,source=dir,target=/m,rw true # writable
FROM bb:1 AS e
RUN --mount=type=bind,source=dir/sub,target=/m true # deep
FROM bb:1
COPY --from=a /tmp /a
COPY --from=b /tmp /b
COPY --from=c /tmp /c
COPY --from=d /tmp /d
COPY --from=e /tmp /e
"""


def dockerfile(pairs: dict[str, Pair], first: int, *, is_after: bool) -> str:
    """Return one Dockerfile of some pairs, a stage each, of which the last stage needs all."""
    numbered = list(enumerate(pairs.values(), first))
    stages = [pair.text(number, is_after=is_after) for number, pair in numbered]
    needed = [f"COPY --from=s{number} /tmp /to/{number}" for number, _ in numbered]
    return "".join([*stages, "FROM bb:1\n", "\n".join(needed), "\n"])
