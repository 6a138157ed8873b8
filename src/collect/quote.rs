//! Quotes: servers that are not bought yet, as hosts that a pool can be judged with. TOML, or JSON of the same shape.

use std::path::Path;

use serde::Deserialize;

use super::catalogue;
use super::dumps::collected;
use super::files::{self, Budget};
use super::limits::{QUOTE, QUOTE_NICS, QUOTE_SERVERS};
use super::{CollectError, Collected};
use crate::cpu::releases::{Product, UnknownProduct, product};
use crate::facts::{Known, Reason};
use crate::snapshot::{Hardware, Host, Hypervisor, Nic, SourceKind};

/// A template to fill in.
pub const TEMPLATE: &str = include_str!("quote.toml");

/// What a quote holds.
#[derive(Debug)]
pub struct Quote {
    /// The release that is to be installed, where the quote says.
    pub release: Option<&'static Product>,
    /// One for each server, in the order of the quote.
    pub servers: Vec<Collected>,
}

/// Why a quote cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum QuoteError {
    /// Not TOML, not JSON, or of another shape.
    #[error("{name}:{line}:{column}: {message}; `poolgate quote init` writes a template")]
    Shape {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A number that no server has.
    #[error("{name}:{line}: {field} is {found}; expected {expected}")]
    Number {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// The field.
        field: String,
        /// What stands there.
        found: i64,
        /// What may stand there.
        expected: String,
    },
    /// A CPU of a name that stands for none.
    #[error("{name}:{line}: {source}")]
    Cpu {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        source: Box<CollectError>,
    },
    /// A release of a name that stands for none.
    #[error("{name}:{line}: release: {source}")]
    Release {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Why.
        source: UnknownProduct,
    },
    /// The file itself.
    #[error(transparent)]
    File(#[from] CollectError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    release: Option<String>,
    server: Vec<Server>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    name: Option<String>,
    model: String,
    sockets: i64,
    #[serde(default = "one")]
    quantity: i64,
    memory_gib: i64,
    manufacturer: Option<String>,
    product: Option<String>,
    cores_per_socket: Option<i64>,
    threads_per_core: Option<i64>,
    #[serde(default)]
    firmware: Firmware,
    nic: Option<Vec<Nics>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Firmware {
    virtualisation: Option<bool>,
    no_execute: Option<bool>,
    iommu: Option<bool>,
    version: Option<String>,
    microcode: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nics {
    #[serde(default = "one")]
    count: i64,
    speed: i64,
    position: Option<i64>,
}

const fn one() -> i64 {
    1
}

/// Reads a quote.
///
/// # Errors
/// Where the file cannot be read, is of another shape, or names what does not exist, with its place.
pub fn read_quote(path: &Path) -> Result<Quote, QuoteError> {
    let name = path.display().to_string();
    quote_from(&name, &files::load(path, &mut Budget::new())?)
}

/// The same from bytes that were read; `name` is what messages call them.
///
/// # Errors
/// As [`read_quote`].
pub fn quote_from(name: &str, bytes: &[u8]) -> Result<Quote, QuoteError> {
    if bytes.len() > QUOTE {
        return Err(shape(
            name,
            b"",
            0,
            &format!("larger than {} MiB, the most that is read of a quote", QUOTE >> 20),
        ));
    }
    let text = std::str::from_utf8(files::without_mark(bytes))
        .map_err(|error| shape(name, bytes, error.valid_up_to(), "not UTF-8; save it as UTF-8"))?;
    Reader { name, text }.read()
}

fn shape(name: &str, text: &[u8], at: usize, message: &str) -> QuoteError {
    let before = &text[..at.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    QuoteError::Shape { name: name.to_owned(), line, column, message: message.to_owned() }
}

struct Reader<'t> {
    name: &'t str,
    text: &'t str,
}

impl Reader<'_> {
    fn read(&self) -> Result<Quote, QuoteError> {
        let file = self.parse()?;
        let release = match &file.release {
            None => None,
            Some(release) => Some(product(release).map_err(|source| QuoteError::Release {
                name: self.name.to_owned(),
                line: self.line("release", 0),
                source,
            })?),
        };
        if file.server.is_empty() {
            return Err(shape(self.name, b"", 0, "no server; a quote has at least one [[server]]"));
        }
        let mut servers = Vec::new();
        let mut nics_before = 0;
        for (index, server) in file.server.iter().enumerate() {
            let left = QUOTE_SERVERS.saturating_sub(i64::try_from(servers.len()).unwrap_or(QUOTE_SERVERS));
            self.within("quantity", index, server.quantity, 1, left)?;
            self.within("sockets", index, server.sockets, 1, 64)?;
            self.within("memory_gib", index, server.memory_gib, 1, 1 << 20)?;
            self.within("cores_per_socket", index, server.cores_per_socket.unwrap_or(1), 1, 1024)?;
            self.within("threads_per_core", index, server.threads_per_core.unwrap_or(1), 1, 8)?;
            let nics = match &server.nic {
                None => Known::no(Reason::NotCollected, "the quote does not say (nic)"),
                Some(groups) => {
                    let nics = self.nics(groups, nics_before)?;
                    nics_before += groups.len();
                    Known::Yes(nics)
                }
            };
            let (cpu, notes) = catalogue::cpu(&server.model).map_err(|source| QuoteError::Cpu {
                name: self.name.to_owned(),
                line: self.line("model", index),
                source: Box::new(source),
            })?;
            let host = server.host(cpu, nics);
            for count in 1..=server.quantity {
                let named = server.name.clone().unwrap_or_else(|| server.model.clone());
                let label = if server.quantity > 1 { format!("{named} #{count}") } else { named };
                let place = format!("{}#{}", self.name, servers.len() + 1);
                let host = Host { name_label: label.into(), ..host.clone() };
                servers.push(collected(&place, SourceKind::Quote, host, notes.clone()));
            }
        }
        Ok(Quote { release, servers })
    }

    /// JSON begins with a brace, TOML cannot.
    fn parse(&self) -> Result<File, QuoteError> {
        if self.text.trim_start().starts_with('{') {
            return serde_json::from_str(self.text).map_err(|error| {
                let message = error.to_string();
                let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
                QuoteError::Shape {
                    name: self.name.to_owned(),
                    line: error.line(),
                    column: error.column(),
                    message: message.to_owned(),
                }
            });
        }
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().trim();
            let mut lines = self.text.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or_default();
            // Type names are Rust's, and a table of a spreadsheet is what people have at hand.
            let message = match message {
                _ if first.contains([',', ';']) && !first.contains(['=', '#', '[']) => {
                    "this looks like CSV, and a quote is TOML or JSON".to_owned()
                }
                message if message.contains("expected i64") => {
                    format!(
                        "{}, without a unit (speeds in Mbit/s, memory in GiB)",
                        message.replace("i64", "a whole number")
                    )
                }
                message => message.to_owned(),
            };
            shape(self.name, self.text.as_bytes(), at, &message)
        })
    }

    fn within(&self, field: &str, nth: usize, found: i64, least: i64, most: i64) -> Result<(), QuoteError> {
        if (least..=most).contains(&found) {
            return Ok(());
        }
        Err(QuoteError::Number {
            name: self.name.to_owned(),
            line: self.line(field, nth),
            field: field.to_owned(),
            found,
            expected: format!("{least} to {most}"),
        })
    }

    /// The NICs by position. Those without one follow the one before; none may be left out, since a fresh installation
    /// numbers what it finds.
    fn nics(&self, groups: &[Nics], before: usize) -> Result<Vec<Nic>, QuoteError> {
        let mut placed: Vec<(i64, i64)> = Vec::new();
        let mut next = 0;
        for (index, group) in groups.iter().enumerate() {
            self.within("count", before + index, group.count, 1, QUOTE_NICS)?;
            self.within("speed", before + index, group.speed, 1, 10_000_000)?;
            let first = group.position.unwrap_or(next);
            self.within("position", before + index, first, 0, QUOTE_NICS - group.count)?;
            placed.extend((first..first + group.count).map(|position| (position, group.speed)));
            next = first + group.count;
        }
        placed.sort_unstable();
        for (expected, (position, _)) in (0_i64..).zip(&placed) {
            if *position != expected {
                return Err(QuoteError::Number {
                    name: self.name.to_owned(),
                    line: self.line("position", 0),
                    field: "position".to_owned(),
                    found: *position,
                    expected: format!("{expected} next: positions are counted from 0, each once and without a gap"),
                });
            }
        }
        let unseen = |what: &str| Known::no(Reason::NotApplicable, format!("a quote has no {what}"));
        Ok(placed
            .into_iter()
            .map(|(position, speed)| Nic {
                name: format!("nic{position:03}").into(),
                speed: speed.into(),
                mac: unseen("MAC address"),
                pci: unseen("PCI address"),
                ..Nic::default()
            })
            .collect())
    }

    /// The line of the n-th time that a key stands at the start of a line or of a JSON member; the first line where it is
    /// left out.
    fn line(&self, key: &str, nth: usize) -> usize {
        let stands = |line: &str| {
            let line = line.trim_start().trim_start_matches(['{', ',', ' ', '"', '[']);
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '"', ':']))
        };
        self.text.lines().enumerate().filter(|(_, line)| stands(line)).nth(nth).map_or(1, |(index, _)| index + 1)
    }
}

impl Server {
    fn host(&self, cpu: crate::snapshot::HostCpu, nics: Known<Vec<Nic>>) -> Host {
        let memory = Known::Yes(self.memory_gib << 30);
        let said = |setting: Option<bool>, what: &str| match setting {
            Some(on) => Known::Yes(on),
            None => Known::no(Reason::NotCollected, format!("the quote does not say (firmware.{what})")),
        };
        let text = |text: &Option<String>| text.clone().map_or_else(Known::default, Known::Yes);
        let firmware = &self.firmware;
        let unsaid = |what: &str| Known::no(Reason::NotCollected, format!("the quote does not say ({what})"));
        let threads = self.threads_per_core.map_or_else(|| unsaid("threads_per_core"), Known::Yes);
        let cores = self.cores_per_socket.map_or_else(|| unsaid("cores_per_socket"), Known::Yes);
        let cpu = crate::snapshot::HostCpu {
            socket_count: self.sockets.into(),
            cpu_count: cores.and_then(|cores| threads.clone().map(|threads| self.sockets * cores * threads)),
            threads_per_core: threads,
            ..cpu
        };
        Host {
            cpu: cpu.into(),
            memory_total: memory.clone(),
            hardware: Hardware {
                manufacturer: text(&self.manufacturer),
                product: text(&self.product),
                memory_total: memory,
                virtualisation_enabled: said(firmware.virtualisation, "virtualisation"),
                nx_enabled: said(firmware.no_execute, "no_execute"),
                iommu_enabled: said(firmware.iommu, "iommu"),
                bios_version: text(&firmware.version),
                microcode: text(&firmware.microcode),
                nics,
                ..Hardware::default()
            }
            .into(),
            hypervisor: unfiltered().into(),
            ..Host::default()
        }
    }
}

/// The catalogue holds nothing that was seen through a hypervisor.
pub(super) fn unfiltered() -> Hypervisor {
    Hypervisor { present: false.into(), filtered: false.into(), ..Hypervisor::default() }
}
