"""What is read of a processor."""

import pytest

from models.runtime import machine

X86 = "processor : 0\nmodel name\t: Some Processor @ 2 GHz\nflags\t\t: fpu avx2 avx512_bf16\n\nflags : other\n"
ARM = "processor : 0\nFeatures : fp asimd bf16 i8mm\n"


def test_parse_cpuinfo() -> None:
    assert machine.parse_cpuinfo(X86) == ("Some Processor @ 2 GHz", frozenset({"fpu", "avx2", "avx512_bf16"}))
    assert "i8mm" in machine.parse_cpuinfo(ARM)[1]
    assert machine.parse_cpuinfo("")[1] == frozenset()


@pytest.mark.parametrize(("flags", "fast"), [({"avx512_vnni"}, False), ({"avx512_bf16"}, True), ({"amx_bf16"}, True)])
def test_bf16_needs_its_own_instructions(flags: set[str], fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "processor", lambda: ("a processor", frozenset(flags)))
    assert machine.has_fast_bf16() is fast
    assert machine.telling_flags() == sorted(flags)


def test_describe_names_what_is_installed() -> None:
    facts = machine.describe()
    assert facts["torch"]
    assert machine.package_version("no-such-package-at-all") is None
