"""What is wrong with an algorithm, finding by finding: from what its code may not say to what it decides."""

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel

from omc.errors import CodeFailed, InvalidInput, SandboxDied, SandboxRefused
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.maker import Maker
from omc.strategy.printed import legible
from omc.strategy.sandbox import check
from omc.strategy.user_fault import place_of
from serve_apps.lab.evidence import Cases
from serve_apps.making import apart, kept

_LONGEST = 4_000


class Finding(BaseModel):
    """`line` and `column`, from 1, are of the algorithm's code; null where a finding has no place in it, or there is no
    code."""

    rule: str
    line: int | None
    column: int | None
    message: str

    @classmethod
    def told(cls, rule: str, message: str, code: str | None) -> Self:
        """`message` says where, if anywhere: code says what it likes, so a place beyond its end is none."""
        line, column = place_of(message)
        if code is None or line is None or line > code.count("\n") + 1:
            line = column = None
        return cls(rule=rule, line=line, column=column, message=legible(message[:_LONGEST], _LONGEST))


class Findings(BaseModel):
    valid: bool
    findings: list[Finding]

    @classmethod
    def of(cls, found: Sequence[Finding]) -> Self:
        return cls(valid=not found, findings=list(found))


async def validated(cases: Cases, maker: Maker, record: AlgorithmRecord) -> list[Finding]:
    """Each stage asks what the one before it found nothing against."""
    code = record.code
    if code is not None:
        unloadable, survived = await apart(_unloadable, maker, record.algorithm_type, code)
        if unloadable:
            # A compiler can be made to crash or to stand still, so only what a sandbox has read is read here.
            return (await apart(_refused, code) if survived else []) or unloadable
    try:
        trial = await cases.tried(record, maker)
    except InvalidInput as refusal:
        return [Finding.told("parameters", str(refusal), code)]
    except CodeFailed as fault:
        return [Finding.told("contract", str(fault), code)]
    if trial.late is not None:
        return [Finding.told("time", trial.late, code)]
    listed = [Finding.told("contract", each, code) for each in trial.contract]
    listed += [Finding.told("look_ahead", each, code) for each in trial.look_ahead]
    if not trial.contract and trial.pieces.known != 0.0:
        listed.append(Finding.told("pieces", trial.pieces.said, code))
    return listed


def _refused(code: str) -> list[Finding]:
    """What the code may not say."""
    return [
        Finding(rule=each.rule, line=each.line, column=each.column, message=legible(each.message[:_LONGEST], _LONGEST))
        for each in check(code)
    ]


def _unloadable(maker: Maker, algorithm_type: str, code: str) -> tuple[list[Finding], bool]:
    """Why it cannot run here at all, or defines nothing that can be asked; and whether its sandbox lived to say so."""
    try:
        sandbox = maker.opened(algorithm_type, code)
    except InvalidInput as refusal:
        return [Finding.told("sandbox", str(refusal), code)], False
    try:
        kept(sandbox.describe().defaults)
    except SandboxRefused as refusal:
        return [Finding.told("sandbox", str(refusal), code)], False
    except (InvalidInput, CodeFailed) as fault:
        return [Finding.told("load", str(fault), code)], not isinstance(fault, SandboxDied)
    finally:
        sandbox.close()
    return [], True
