//! `basic_cpuid[1]=000306a9 00100800 7fbae3ff bfebfbff`: libcpuid's raw format. It asks every leaf without a subleaf,
//! so that 0xd:1 and 7:1 are not in it, and goes past the CPU's last leaf.

use super::captured::{Collector, Cpus};
use super::text::{lines, skip, take, take_word};
use crate::collect::CollectError;

/// Whether a line is one of this format's.
pub(super) fn is_line(line: &[u8]) -> bool {
    matches!(leaf(line), Some(Some(_)))
}

pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Cpus, CollectError> {
    let mut collector = Collector::new(name);
    for line in lines(bytes) {
        match leaf(line) {
            Some(Some((leaf, registers))) => collector.add(leaf, Some(0), registers)?,
            Some(None) => collector.tear(),
            None if line.windows(13).any(|part| part == b"Logical CPU #") => collector.begin(None)?,
            None => {}
        }
    }
    collector.finish()
}

/// A line of a leaf; nothing inside where it begins as one and cannot be read.
fn leaf(line: &[u8]) -> Option<Option<(u32, [u32; 4])>> {
    let (base, rest) = match line.strip_prefix(b"basic_cpuid[") {
        Some(rest) => (0, rest),
        None => (0x8000_0000, line.strip_prefix(b"ext_cpuid[")?),
    };
    Some(registers(base, rest))
}

fn registers(base: u32, mut rest: &[u8]) -> Option<(u32, [u32; 4])> {
    let end = rest.iter().position(|byte| *byte == b']')?;
    let index: u32 = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    rest = &rest[end..];
    take(&mut rest, b"]=")?;
    let mut registers = [0; 4];
    for register in &mut registers {
        skip(&mut rest, b" ");
        *register = take_word(&mut rest)?;
    }
    (index <= 0xffff).then_some((base + index, registers))
}
