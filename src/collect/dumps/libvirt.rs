//! libvirt: `<cpudata>` holds CPUID leaf by leaf; `<capabilities>` (`virsh capabilities`) names a CPU model of libvirt's
//! own and what the CPU has beside it, which is no CPUID.

use roxmltree::{Document, Node, ParsingOptions};

use super::captured::{Collector, Cpus};
use super::machine::collected;
use super::text::hex;
use super::{Dump, nothing};
use crate::collect::files::without_mark;
use crate::collect::limits::LIBVIRT_NODES;
use crate::collect::{CollectError, Collected};
use crate::facts::{Known, Reason};
use crate::snapshot::{Hardware, Host, HostCpu, SourceKind};

const ARCH_CAPABILITIES: u32 = 0x10a;

/// Reads `<cpudata>`.
pub(super) fn read_data(name: &str, bytes: &[u8]) -> Result<Cpus, CollectError> {
    let text = utf8(name, bytes)?;
    let document = parse(name, &text)?;
    let mut collector = Collector::new(name);
    let mut capabilities = None;
    for node in document.root_element().children().filter(Node::is_element) {
        match node.tag_name().name() {
            "cpuid" => match leaf(node) {
                Some((leaf, subleaf, registers)) => collector.add(leaf, Some(subleaf), registers)?,
                None => return Err(at(name, &document, node, "a <cpuid> without eax_in, eax, ebx, ecx and edx")),
            },
            "msr" if number(node, "index") == Some(ARCH_CAPABILITIES) => {
                capabilities = number(node, "edx").zip(number(node, "eax"));
            }
            _ => {}
        }
    }
    let mut cpus = collector.finish()?;
    if let Some((high, low)) = capabilities {
        cpus.set_arch_capabilities(None, u64::from(high) << 32 | u64::from(low));
    }
    Ok(cpus)
}

fn leaf(node: Node<'_, '_>) -> Option<(u32, u32, [u32; 4])> {
    // Old versions say `function` and name no subleaf.
    let leaf = number(node, "eax_in").or_else(|| number(node, "function"))?;
    let subleaf = if node.has_attribute("ecx_in") { number(node, "ecx_in")? } else { 0 };
    let [eax, ebx, ecx, edx] = ["eax", "ebx", "ecx", "edx"].map(|register| number(node, register));
    Some((leaf, subleaf, [eax?, ebx?, ecx?, edx?]))
}

fn number(node: Node<'_, '_>, attribute: &str) -> Option<u32> {
    hex(node.attribute(attribute)?.strip_prefix("0x")?.as_bytes())
}

/// Reads `virsh capabilities`: identity, topology and address width.
pub(super) fn read_capabilities(name: &str, bytes: &[u8]) -> Result<Collected, CollectError> {
    const WHY: &str = "libvirt names a CPU model of its own, not feature words";
    let text = utf8(name, bytes)?;
    let document = parse(name, &text)?;
    let host = child(document.root_element(), "host");
    let Some(cpu) = host.and_then(|host| child(host, "cpu")) else {
        return Err(nothing(name, Dump::Capabilities, "it has no <host><cpu>"));
    };
    let arch = child(cpu, "arch").and_then(|node| node.text()).unwrap_or_default();
    if !matches!(arch, "x86_64" | "i686") {
        return Err(nothing(name, Dump::Capabilities, format!("its host is not x86 ({})", arch.escape_debug())));
    }
    let vendor = match child(cpu, "vendor").and_then(|node| node.text()) {
        Some("Intel") => Known::Yes("GenuineIntel".to_owned()),
        Some("AMD") => Known::Yes("AuthenticAMD".to_owned()),
        Some("Hygon") => Known::Yes("HygonGenuine".to_owned()),
        Some(other) => Known::no(Reason::Unreadable, format!("libvirt's vendor \"{}\"", other.escape_debug())),
        None => Known::no(Reason::NotCollected, "libvirt names no vendor"),
    };
    let within = |element: &str, attribute: &str| -> Known<i64> {
        let found = child(cpu, element).and_then(|node| node.attribute(attribute)?.parse().ok());
        found.map_or_else(|| Known::no(Reason::NotCollected, format!("no <{element} {attribute}=…>")), Known::Yes)
    };
    let model = child(cpu, "model").and_then(|node| node.text()).unwrap_or("?");
    let also = cpu.children().filter(|node| node.has_tag_name("feature")).count();
    let topology = ["sockets", "dies", "cores", "threads"].map(|part| within("topology", part).get().copied());
    let [sockets, dies, cores, threads] = topology;
    let parts = [sockets, Some(dies.unwrap_or(1)), cores, threads];
    let cpus = parts.into_iter().try_fold(1i64, |cpus, part| part.filter(|part| *part > 0)?.checked_mul(cpus));
    let host = Host {
        cpu: HostCpu {
            vendor,
            model_name: Known::no(Reason::NotCollected, WHY),
            family: within("signature", "family"),
            model: within("signature", "model"),
            stepping: within("signature", "stepping"),
            cpu_count: cpus.map_or_else(Known::default, Known::Yes),
            socket_count: within("topology", "sockets"),
            threads_per_core: within("topology", "threads"),
            raw: Known::no(Reason::NotCollected, WHY),
            ..HostCpu::default()
        }
        .into(),
        hardware: Hardware {
            physical_address_bits: within("maxphysaddr", "bits"),
            microcode: within("microcode", "version").map(|revision| format!("0x{revision:x}")),
            ..Hardware::default()
        }
        .into(),
        ..Host::default()
    };
    let note = format!(
        "{}: libvirt's model {} and {also} features beside it; no feature words, so that levels cannot be judged",
        Dump::Capabilities.title(),
        model.escape_debug(),
    );
    Ok(collected(name, SourceKind::Dump, host, vec![note]))
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn utf8(name: &str, bytes: &[u8]) -> Result<String, CollectError> {
    String::from_utf8(without_mark(bytes).trim_ascii_start().to_vec()).map_err(|error| {
        let line = bytes[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        malformed(name, line, 1, "not UTF-8; save it as UTF-8")
    })
}

fn parse<'t>(name: &str, text: &'t str) -> Result<Document<'t>, CollectError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: LIBVIRT_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|error| {
        if matches!(error, roxmltree::Error::NodesLimitReached) {
            let limit = LIBVIRT_NODES as usize;
            return CollectError::Crowded { name: name.to_owned(), limit, what: "elements" };
        }
        let place = error.pos();
        let message = error.to_string();
        let message = message.rsplit_once(" at ").map_or(message.as_str(), |(message, _)| message);
        malformed(name, place.row as usize, place.col as usize, message)
    })
}

fn at(name: &str, document: &Document<'_>, node: Node<'_, '_>, message: &str) -> CollectError {
    let place = document.text_pos_at(node.range().start);
    malformed(name, place.row as usize, place.col as usize, message)
}

fn malformed(name: &str, line: usize, column: usize, message: &str) -> CollectError {
    CollectError::Malformed { name: name.to_owned(), line, column, message: message.to_owned() }
}
