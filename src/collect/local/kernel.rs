//! Reads single files of /proc, /sys and /etc below one root, and says why when it cannot.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::facts::{Known, Reason, Unknown};

/// No file of the kernel that is read here is longer on any machine; what is longer is something else.
const LIMIT: u64 = 16 << 20;
/// The same for files that hold one line.
const LINE_LIMIT: usize = 64 << 10;

/// The running kernel, or a copy of its files below some folder.
#[derive(Clone, Debug)]
pub struct Kernel {
    root: PathBuf,
}

impl Kernel {
    /// The kernel underneath.
    pub fn here() -> Self {
        Self::below("/")
    }

    /// A tree with `proc`, `sys`, `etc` … below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a path of the kernel is.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.path(path)).is_ok()
    }

    /// The whole file.
    pub(super) fn bytes(&self, path: &str) -> Known<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = File::open(self.path(path)).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => Known::No(why(path, &error)),
            Ok(_) if bytes.len() as u64 > LIMIT => {
                Known::no(Reason::Unreadable, format!("{path} is longer than {} MiB", LIMIT >> 20))
            }
            Ok(_) => Known::Yes(bytes),
        }
    }

    /// Eight bytes at an offset, little endian: a model-specific register through its device.
    pub(super) fn register(&self, path: &str, offset: u64) -> Known<u64> {
        let mut bytes = [0; 8];
        let read = File::open(self.path(path)).and_then(|file| file.read_exact_at(&mut bytes, offset));
        match read {
            Ok(()) => Known::Yes(u64::from_le_bytes(bytes)),
            Err(error) => Known::No(why(path, &error)),
        }
    }

    /// A file's text on one line: ends trimmed, control characters made blanks. An empty file is unreadable.
    pub(super) fn text(&self, path: &str) -> Known<String> {
        self.bytes(path).and_then(|bytes| {
            if bytes.len() > LINE_LIMIT {
                return Known::no(Reason::Unreadable, format!("{path} is longer than {} KiB", LINE_LIMIT >> 10));
            }
            let text = clean(&String::from_utf8_lossy(&bytes));
            if text.is_empty() { Known::no(Reason::Unreadable, format!("{path} is empty")) } else { Known::Yes(text) }
        })
    }

    /// A file that holds one whole number.
    pub(super) fn number(&self, path: &str) -> Known<i64> {
        self.text(path)
            .and_then(|text| text.parse().map_or_else(|_| Known::No(not(path, &text, "a whole number")), Known::Yes))
    }

    /// A file that holds 0 or 1.
    pub(super) fn switch(&self, path: &str) -> Known<bool> {
        self.text(path).and_then(|text| match text.as_str() {
            "0" => Known::Yes(false),
            "1" => Known::Yes(true),
            _ => Known::No(not(path, &text, "0 or 1")),
        })
    }

    /// A file that holds a list of CPUs: `0-15,32-47`.
    pub(super) fn cpu_list(&self, path: &str) -> Known<Vec<usize>> {
        self.text(path).and_then(|text| {
            parse_list(&text).map_or_else(|| Known::No(not(path, &text, "a list of CPUs")), Known::Yes)
        })
    }

    /// What a folder holds, sorted.
    pub(super) fn names(&self, path: &str) -> Known<Vec<String>> {
        let entries = fs::read_dir(self.path(path)).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        match entries {
            Err(error) => Known::No(why(path, &error)),
            Ok(entries) => {
                let mut names: Vec<_> =
                    entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
                names.sort_unstable();
                Known::Yes(names)
            }
        }
    }

    /// Where a link ends, every step resolved.
    pub(super) fn resolved(&self, path: &str) -> Known<PathBuf> {
        fs::canonicalize(self.path(path)).map_or_else(|error| Known::No(why(path, &error)), Known::Yes)
    }

    /// The name of what a link points to: a driver, a subsystem.
    pub(super) fn link_name(&self, path: &str) -> Known<String> {
        match fs::read_link(self.path(path)) {
            Err(error) => Known::No(why(path, &error)),
            Ok(target) => file_name(&target).map_or_else(
                || Known::no(Reason::Unreadable, format!("{path} points nowhere")),
                |name| Known::Yes(clean(name)),
            ),
        }
    }
}

pub(super) fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn why(path: &str, error: &io::Error) -> Unknown {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Unknown::because(Reason::NotCollected, format!("this system has no {path}"))
        }
        io::ErrorKind::PermissionDenied => Unknown::because(Reason::PermissionDenied, format!("needs root: {path}")),
        _ => Unknown::because(Reason::Unreadable, format!("{path}: {error}")),
    }
}

/// A file that says something else than it should; long nonsense is cut.
pub(super) fn not(path: &str, found: &str, expected: &str) -> Unknown {
    let shown: String = found.chars().take(40).collect();
    Unknown::because(Reason::Unreadable, format!("{path} says \"{}\", expected {expected}", shown.escape_debug()))
}

/// Text that is safe to print: one line, no control characters.
pub(super) fn clean(text: &str) -> String {
    let blanked: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    blanked.trim().to_owned()
}

/// More CPUs than any kernel can be built for: a bound for what a broken file may make us count to.
const MAX_CPUS: usize = 1 << 16;

/// Reads the kernel's notation for lists of numbers: `0-3,8,10-11`.
pub(super) fn parse_list(text: &str) -> Option<Vec<usize>> {
    let mut list = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if last < first || last >= MAX_CPUS {
            return None;
        }
        list.extend(first..=last);
        if list.len() > MAX_CPUS {
            return None;
        }
    }
    list.sort_unstable();
    list.dedup();
    Some(list)
}

/// Writes numbers, ascending, in the kernel's notation.
pub(in crate::collect) fn print_list(list: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in list {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let runs = runs.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    runs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_read_and_written_as_the_kernel_does() {
        assert_eq!(parse_list("0-3,8,10-11\n"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(print_list(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
        for wrong in ["", "3-1", "0-", "a", "0-99999999999", "1,,2"] {
            assert_eq!(parse_list(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_list_survives(list in proptest::collection::btree_set(0usize..5000, 1..60)) {
            let list: Vec<_> = list.into_iter().collect();
            prop_assert_eq!(parse_list(&print_list(&list)), Some(list));
        }
    }

    #[test]
    fn a_file_for_root_alone_says_so() {
        let why = why("/sys/class/dmi/id/product_serial", &io::ErrorKind::PermissionDenied.into());
        insta::assert_snapshot!(why, @"permission denied: needs root: /sys/class/dmi/id/product_serial");
    }

    #[test]
    fn a_missing_file_and_a_strange_one_say_which() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mtu"), "fifteen\x1b[31m hundred\n").unwrap();
        let kernel = Kernel::below(folder.path());
        insta::assert_snapshot!(kernel.number("/gone").unknown().unwrap(), @"not collected: this system has no /gone");
        fs::write(folder.path().join("long"), vec![b'x'; LINE_LIMIT + 1]).unwrap();
        insta::assert_snapshot!(kernel.text("/long").unknown().unwrap(), @"unreadable: /long is longer than 64 KiB");
        insta::assert_snapshot!(
            kernel.number("/mtu").unknown().unwrap(),
            @r#"unreadable: /mtu says "fifteen [31m hundred", expected a whole number"#
        );
    }
}
