"""Dockerfiles, and what newer BuildKit remarks about them: name of the rule and line."""

from __future__ import annotations

CASES: dict[str, tuple[tuple[str, int], ...]] = {
    "FROM bb:1 as b\nRUN true\n": (("FromAsCasing", 1),),
    "from bb:1 AS b\nrun true\n": (("FromAsCasing", 1),),
    "From bb:1 as c\nRUN true\nRUN true\n": (("ConsistentInstructionCasing", 1),),
    "FROM bb:1\nrun true\n": (("ConsistentInstructionCasing", 2),),
    "from bb:1\nrun true\nCOPY f /\n": (("ConsistentInstructionCasing", 3),),
    "FROM bb:1\nONBUILD run true\n": (),
    "FROM bb:1 AS Bb\nRUN true\n": (("StageNameCasing", 1),),
    "FROM bb:1 AS b\nRUN true\nFROM bb:1 AS B\nRUN true\n": (("DuplicateStageName", 3), ("StageNameCasing", 3)),
    "FROM bb:1 AS scratch\nRUN true\n": (("ReservedStageName", 1),),
    "FROM bb:1 AS context\nRUN true\n": (("ReservedStageName", 1),),
    "FROM bb:1\nCMD echo a\nENTRYPOINT echo b\n": (("JSONArgsRecommended", 2), ("JSONArgsRecommended", 3)),
    'FROM bb:1\nSHELL ["/bin/sh","-ec"]\nCMD echo a\n': (),
    'FROM bb:1 AS a\nSHELL ["/bin/sh","-c"]\nFROM a\nCMD x\n': (),
    'FROM bb:1 AS a\nCMD x\nSHELL ["/bin/sh","-c"]\n': (("JSONArgsRecommended", 2),),
    "FROM bb:1\nENV A b\nLABEL c d\nENV E=f g=h\n": (("LegacyKeyValueFormat", 2), ("LegacyKeyValueFormat", 3)),
    'FROM bb:1\nLABEL a\\ b c\nENV "A" b\n': (("LegacyKeyValueFormat", 2), ("LegacyKeyValueFormat", 3)),
    "FROM bb:1\nMAINTAINER me\n": (("MaintainerDeprecated", 2),),
    "FROM bb:1\nRUN echo a \\\n\n  b\n\nRUN echo c \\\n\n\n d\n": (
        ("NoEmptyContinuation", 4),
        ("NoEmptyContinuation", 9),
    ),
    'FROM bb:1\nCMD ["a"]\nCMD ["b"]\nHEALTHCHECK CMD a\nHEALTHCHECK NONE\n': (
        ("MultipleInstructionsDisallowed", 2),
        ("MultipleInstructionsDisallowed", 4),
    ),
    'FROM bb:1 AS a\nCMD ["a"]\nFROM a\nCMD ["a"]\n': (),
    "FROM bb:1\nWORKDIR app\nWORKDIR b\n": (("WorkdirRelativePath", 2),),
    'FROM bb:1\nENV D=/x\nWORKDIR "${D}/y"\n': (),
    "FROM bb:1 AS a\nARG D=x\nENV E=$D\nFROM a\nWORKDIR $E/y\n": (("WorkdirRelativePath", 5),),
    "FROM bb:1 AS a\nWORKDIR /x\nFROM a\nWORKDIR b\n": (),
    "FROM bb:1 AS a\nRUN true\nFROM a\nWORKDIR b\n": (("WorkdirRelativePath", 4),),
    "FROM bb:1\nARG TOKEN\nENV MY_PASSWORD=x PUBLIC_TOKEN=1 KEYBOARD=1\n": (
        ("SecretsUsedInArgOrEnv", 2),
        ("SecretsUsedInArgOrEnv", 3),
    ),
    "FROM bb:1\nARG KEY\nARG PWORD\nARG credentials\nARG publickey\nARG SECRETS\nARG auth\nARG apikey\n": tuple(
        ("SecretsUsedInArgOrEnv", line) for line in (2, 3, 4, 7, 8)
    ),
    "FROM --platform=$TARGETPLATFORM bb:1\nRUN true\n": (("RedundantTargetPlatform", 1),),
    "FROM --platform=linux/amd64 bb:1\nRUN true\n": (("FromPlatformFlagConstDisallowed", 1),),
    "FROM --platform=linux/amd64 bb:1 AS build_amd64\nRUN true\n": (),
    "FROM --platform=$BUILDPLATFORM bb:1\nRUN true\n": (),
    "FROM bb:1\nEXPOSE 80/TcP 81\n": (("ExposeProtoCasing", 2),),
    "FROM bb:1 AS Unused\nCMD a\nENV A b\nMAINTAINER x\nFROM bb:1\nRUN true\n": (
        ("StageNameCasing", 1),
        ("MaintainerDeprecated", 4),
    ),
    "# check=skip=JSONArgsRecommended,StageNameCasing\nFROM bb:1 AS Bb\nCMD a\nMAINTAINER x\n": (
        ("MaintainerDeprecated", 4),
    ),
    "# check=skip=stagenamecasing\nFROM bb:1 AS Bb\nRUN true\n": (("StageNameCasing", 2),),
    "# check=skip=all\nFROM bb:1 AS Bb\nCMD a\n": (),
    "# check=error=false\nFROM bb:1 AS Bb\nRUN true\n": (("StageNameCasing", 2),),
}
REFUSED = {
    "# check=error=true\nFROM bb:1 AS Bb\nCMD a\n": "lint violation found for rules: ",
    "# check=skip=all;foo=bar\nFROM bb:1\n": 'failed to parse check options: invalid check option "foo"',
    "# check=skip\nFROM bb:1\n": 'failed to parse check options: invalid check option "skip"',
    "# check=;skip=all\nFROM bb:1\n": 'failed to parse check options: invalid check option ""',
    "# check=skip = all\nFROM bb:1\n": 'failed to parse check options: invalid check option "skip"',
    "# check=error=maybe\nFROM bb:1\n": 'strconv.ParseBool: parsing "maybe": invalid syntax',
}
