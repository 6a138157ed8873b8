//! `   0x00000001 0x00: eax=0x000306a9 ebx=… ecx=… edx=…`: Todd Allen's `cpuid -r`, under a heading for each CPU, and
//! `cpuid -1 -r`, under one without a number.

use super::captured::{Collector, Cpus};
use super::text::{lines, skip, take, take_hex, take_word};
use crate::collect::CollectError;

/// Whether a line is one of this format's.
pub(super) fn is_line(line: &[u8]) -> bool {
    leaf(line).is_some()
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Cpus, CollectError> {
    let mut collector = Collector::new(name);
    for line in lines(bytes) {
        if let Some((leaf, subleaf, registers)) = leaf(line) {
            collector.add(leaf, subleaf, registers)?;
        } else if let Some(number) = line.strip_prefix(b"CPU").and_then(|rest| rest.strip_suffix(b":")) {
            let number = std::str::from_utf8(number.trim_ascii()).ok();
            collector.begin(number.and_then(|number| number.parse().ok()))?;
        } else if line.windows(4).any(|part| part == b"eax=") {
            collector.tear();
        }
    }
    collector.finish()
}

fn leaf(line: &[u8]) -> Option<(u32, Option<u32>, [u32; 4])> {
    let mut rest = line.trim_ascii_start();
    take(&mut rest, b"0x")?;
    let leaf = take_word(&mut rest)?;
    skip(&mut rest, b" ");
    // Old versions name no subleaf.
    let mut subleaf = None;
    if take(&mut rest, b"0x").is_some() {
        subleaf = Some(take_hex(&mut rest)?);
    }
    take(&mut rest, b":")?;
    let mut registers = [0; 4];
    for (register, name) in registers.iter_mut().zip([&b"eax=0x"[..], b"ebx=0x", b"ecx=0x", b"edx=0x"]) {
        skip(&mut rest, b" ");
        take(&mut rest, name)?;
        *register = take_word(&mut rest)?;
    }
    Some((leaf, subleaf, registers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_and_without_a_subleaf() {
        let line = b"   0x00000007 0x01: eax=0x00000020 ebx=0x00000000 ecx=0x00000000 edx=0x00000001";
        assert_eq!(leaf(line), Some((7, Some(1), [0x20, 0, 0, 1])));
        let line = b"   0x80000001: eax=0x00000020 ebx=0x00000000 ecx=0x00000000 edx=0x2c100800";
        assert_eq!(leaf(line), Some((0x8000_0001, None, [0x20, 0, 0, 0x2c10_0800])));
        assert_eq!(leaf(b"   0x00000007 0x01: eax=0x0000002 ebx=0x00000000 ecx=0x00000000 edx=0x00000001"), None);
    }
}
