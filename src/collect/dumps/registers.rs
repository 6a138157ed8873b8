//! `CPUID 00000001: 000306A9-00100800-7FBAE3FF-BFEBFBFF [SL 00]`: AIDA64, InstLatx64 and newer libcpuid. Twenty years of
//! versions differ in separators, headings and case; subleaves are named or counted.

use super::captured::{Collector, Cpus};
use super::text::{hex, lines, skip, take, take_word};
use crate::collect::CollectError;

const ARCH_CAPABILITIES: u32 = 0x10a;

/// Whether a line is one of this format's.
pub(super) fn is_line(line: &[u8]) -> bool {
    matches!(leaf(line), Some(Ok(_)))
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Cpus, CollectError> {
    let mut collector = Collector::new(name);
    let mut section = None;
    let mut capabilities = Vec::new();
    for line in lines(bytes) {
        match leaf(line) {
            Some(Ok((leaf, subleaf, registers))) => collector.add(leaf, subleaf, registers)?,
            Some(Err(())) => collector.tear(),
            None => {
                if let Some(number) = heading(line) {
                    collector.begin(number)?;
                } else if line.starts_with(b"------[") {
                    section = registers_of(line);
                } else if let (Some(cpu), Some((ARCH_CAPABILITIES, value))) = (section, register(line)) {
                    capabilities.push((cpu, value));
                }
            }
        }
    }
    let mut cpus = collector.finish()?;
    for (number, value) in capabilities {
        cpus.set_arch_capabilities(number, value);
    }
    Ok(cpus)
}

/// Leaf, subleaf where named, and eax to edx.
type Leaf = (u32, Option<u32>, [u32; 4]);

/// A line of a leaf; an error where it begins as one and cannot be read.
fn leaf(line: &[u8]) -> Option<Result<Leaf, ()>> {
    let mut rest = line.trim_ascii_start();
    take(&mut rest, b"CPUID ")?;
    // Headings begin with the same word: `CPUID Registers (CPU #1)`, `CPUID Manufacturer: …`.
    let number = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if number != 8 {
        let torn = rest.iter().filter(|byte| byte.is_ascii_hexdigit()).count() >= 32;
        return torn.then_some(Err(()));
    }
    Some(registers(rest).ok_or(()))
}

fn registers(mut rest: &[u8]) -> Option<Leaf> {
    let leaf = take_word(&mut rest)?;
    skip(&mut rest, b" \t:");
    let mut registers = [0; 4];
    for (index, register) in registers.iter_mut().enumerate() {
        if index > 0 && skip(&mut rest, b"- ") == 0 {
            return None;
        }
        *register = take_word(&mut rest)?;
    }
    skip(&mut rest, b" \t");
    let mut subleaf = None;
    if let Some(named) = rest.strip_prefix(b"[SL ") {
        let end = named.iter().position(|byte| *byte == b']')?;
        subleaf = Some(hex(&named[..end])?);
    }
    Some((leaf, subleaf, registers))
}

/// A heading above a CPU's leaves, with the CPU's number where the number counts from 0.
fn heading(line: &[u8]) -> Option<Option<u32>> {
    if let Some(rest) = line.strip_prefix(b"------[ ") {
        let mut rest = rest.strip_prefix(b"CPUID Registers / ").unwrap_or(rest);
        take(&mut rest, b"Logical CPU #")?;
        return Some(number(rest));
    }
    let counts_from_one = line.starts_with(b"CPUID Registers");
    let mask = line.windows(8).any(|part| part.eq_ignore_ascii_case(b"AffMask:"));
    let numbered = line.strip_prefix(b"CPU ").and_then(|rest| rest.strip_suffix(b":"));
    if counts_from_one || line.starts_with(b"Group: 0x") {
        return Some(None);
    }
    if let Some(rest) = line.strip_prefix(b"CPU#").filter(|_| mask) {
        return Some(number(rest));
    }
    numbered.filter(|rest| rest.iter().all(u8::is_ascii_digit)).map(number)
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&text[..digits]).ok()?.parse().ok()
}

/// The CPU whose model-specific registers a heading announces: one, or all.
fn registers_of(line: &[u8]) -> Option<Option<u32>> {
    let rest = line.strip_prefix(b"------[ MSR Registers ")?;
    match rest.strip_prefix(b"/ Logical CPU #") {
        Some(rest) => number(rest).map(Some),
        None => rest.starts_with(b"]").then_some(None),
    }
}

/// `MSR 0000010A: 0000-0000-0DB9-FD6B`.
fn register(line: &[u8]) -> Option<(u32, u64)> {
    let mut rest = line;
    take(&mut rest, b"MSR ")?;
    let index = take_word(&mut rest)?;
    skip(&mut rest, b" \t:");
    let mut value = 0;
    for part in 0..4 {
        if part > 0 {
            take(&mut rest, b"-")?;
        }
        value = value << 16 | u64::from(hex(rest.get(..4)?)?);
        rest = &rest[4..];
    }
    (rest.is_empty() || rest.starts_with(b" ")).then_some((index, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_age() {
        let words = [0x306a9, 0x10_0800, 0x7fba_e3ff, 0xbfeb_fbff];
        for (line, subleaf) in [
            ("CPUID 00000001: 000306A9-00100800-7FBAE3FF-BFEBFBFF", None),
            ("CPUID 00000001: 000306a9-00100800-7fbae3ff-bfebfbff [SL 01] [SSE]", Some(1)),
            ("CPUID 00000001  \t000306A9-00100800-7FBAE3FF-BFEBFBFF\t[x]", None),
            ("CPUID 00000001 :000306A9-00100800-7FBAE3FF-BFEBFBFF ", None),
            ("CPUID 00000001 : 000306A9 00100800 7FBAE3FF BFEBFBFF", None),
            ("CPUID 00000001 000306A9-00100800-7FBAE3FF-BFEBFBFF", None),
        ] {
            assert_eq!(leaf(line.as_bytes()), Some(Ok((1, subleaf, words))), "{line}");
        }
        for line in ["CPUID Registers (CPU #1):", "CPUID Revision    : 000B06D1h", "CPU#00 Vendor: X", ""] {
            assert_eq!(leaf(line.as_bytes()), None, "{line}");
        }
        for torn in [
            "CPUID 00000001: 000306A9-00100800-7FBAE3FF-BFEBFBF",
            "CPUID 0000000_: 000306A9-00100800-7FBAE3FF-BFEBFBFF",
        ] {
            assert_eq!(leaf(torn.as_bytes()), Some(Err(())), "{torn}");
        }
    }

    #[test]
    fn headings_begin_a_cpu() {
        for (line, expected) in [
            ("------[ CPUID Registers / Logical CPU #12 ]------", Some(Some(12))),
            ("------[ Logical CPU #0 ]------", Some(Some(0))),
            ("------[ MSR Registers / Logical CPU #0 ]------", None),
            ("CPU#003 AffMask: 0x00000008 ", Some(Some(3))),
            ("CPU#003 Vendor: GenuineIntel", None),
            ("CPUID Registers (CPU #2 Virtual):", Some(None)),
            ("CPU 7:", Some(Some(7))),
            ("CPU   0: APICID    0 / Package 0", None),
            ("Group: 0x00 Affinity mask: 0x01", Some(None)),
        ] {
            assert_eq!(heading(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn subleaves_are_counted_only_while_no_line_is_lost() {
        let dump = "CPUID 00000000: 00000007-756E6547-6C65746E-49656E69\n\
                    CPUID 00000007: 00000001-00000281-00000000-0000000_\n\
                    CPUID 00000007: 00000010-00000000-00000000-00000000\n";
        let cpus = read("x", dump.as_bytes()).unwrap();
        assert_eq!(cpus.each[0].1.unknown_words, [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    }
}
