//! How much is read, in one place: of a target, of one server's answer, of what is inside. Each limit is far above what
//! honest input has, and keeps dishonest input from filling the memory. `docs/limits.md` has them as a table, and
//! `tests/limits.rs` crosses each of them.

use std::time::Duration;

/// Bytes of one target: a file, all answers of a folder, standard input, a database inside an archive.
pub(crate) const TARGET: u64 = 256 << 20;
/// Bytes that decide which format a document has.
pub(crate) const HEAD: usize = 64 << 10;
/// Bytes of the largest file for which room is made before its head was seen.
pub(crate) const ROOM: usize = 4 << 20;
/// Keys of a document's outermost object that are looked at to tell its format.
pub(crate) const KEYS: usize = 1000;

/// Bytes that are unpacked in the search for one file: status reports hold gigabytes of logs.
pub(crate) const UNPACKED: u64 = 4 << 30;
/// Files of an archive that are looked at.
pub(crate) const ENTRIES: usize = 200_000;

/// Values of one JSON text. A pool of ten thousand VMs has two million; a hundred million of `[]` would take gigabytes.
pub(crate) const VALUES: usize = 5_000_000;
/// Nodes of one XML text, whose tree takes some 150 bytes for each. A VM of XML-RPC has some 1,200.
pub(crate) const XML_NODES: u32 = 8_000_000;
/// How deep values of XML-RPC nest; the server's records nest four deep. JSON nests 128 deep at most.
pub(crate) const XML_DEPTH: usize = 64;
/// Records of all classes together. A pool of ten thousand VMs has some hundred thousand.
pub(crate) const RECORDS: usize = 200_000;
/// Hosts of one target: a pool has 64 at most.
pub(crate) const HOSTS: usize = 4_096;
/// Entries among the records that are none: each field of each says why it is missing, which takes much room.
pub(crate) const ODD: usize = 1_000;

/// Logical CPUs of a dump of registers.
pub(crate) const DUMP_CPUS: usize = 1 << 14;
/// CPUID leaves of one CPU.
pub(crate) const DUMP_LEAVES: usize = 1 << 12;
/// CPUs of `/proc/cpuinfo`.
pub(crate) const CPUINFO_CPUS: usize = 1 << 16;
/// Nodes of libvirt's XML.
pub(crate) const LIBVIRT_NODES: u32 = 1 << 20;
/// How deep `lscpu -J` nests.
pub(crate) const LSCPU_DEPTH: usize = 16;
/// Words of a set that `xen-cpuid` prints.
pub(crate) const XEN_WORDS: usize = 64;

/// Bytes of a quote.
pub(crate) const QUOTE: usize = 1 << 20;
/// Servers of a quote.
pub(crate) const QUOTE_SERVERS: i64 = 1_000;
/// NICs of one server of a quote.
pub(crate) const QUOTE_NICS: i64 = 128;

/// Bytes of the file of known hosts.
pub(crate) const KNOWN_HOSTS: u64 = 1 << 20;
/// Bytes of the file of authorities.
pub(crate) const AUTHORITIES: u64 = 16 << 20;

/// Bytes of one answer of a server.
pub(crate) const ANSWER: usize = 256 << 20;
/// Bytes of the head of an answer on the local socket.
pub(crate) const ANSWER_HEAD: usize = 32 << 10;
/// Parameters of a server's error that are kept.
pub(crate) const ERROR_PARAMS: usize = 16;
/// Characters of each of them.
pub(crate) const ERROR_PARAM: usize = 500;
/// How long a logout may take; longer than that, and the server forgets the session by itself.
pub(crate) const LOGOUT: Duration = Duration::from_secs(3);
/// How long to wait before asking again what changes nothing, where the connection broke.
pub(crate) const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];
