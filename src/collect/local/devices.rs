//! Network interfaces and disks that are hardware: what the kernel links to a device, without the virtual ones.

use super::kernel::{Kernel, file_name};
use crate::facts::{Known, Reason};
use crate::snapshot::{Disk, Nic};

const NET: &str = "/sys/class/net";
const BLOCK: &str = "/sys/block";

/// The interfaces in the order of their PCI addresses, then of their ports; those on no PCI bus come last.
pub(super) fn nics(kernel: &Kernel) -> Known<Vec<Nic>> {
    kernel.names(NET).map(|names| {
        let mut nics: Vec<_> =
            names.iter().filter(|name| is_physical(kernel, name)).map(|name| nic(kernel, name)).collect();
        nics.sort_by(|(a, _), (b, _)| a.cmp(b));
        nics.into_iter().map(|(_, nic)| nic).collect()
    })
}

/// Ethernet on a device of its own: no bridge, no tunnel, no virtual function of another card.
fn is_physical(kernel: &Kernel, name: &str) -> bool {
    let has = |file: &str| kernel.exists(&format!("{NET}/{name}/{file}"));
    has("device")
        && !has("device/physfn")
        && !matches!(kernel.number(&format!("{NET}/{name}/type")), Known::Yes(kind) if kind != 1)
}

/// Where an interface sits: whether off PCI, its address, its port, its name.
type Place = (bool, [u32; 4], i64, String);

fn nic(kernel: &Kernel, name: &str) -> (Place, Nic) {
    let file = |file: &str| format!("{NET}/{name}/{file}");
    let pci = pci_address(kernel, &file("device"));
    let numbers = pci.text().and_then(parse_pci);
    let port = kernel.number(&file("dev_port")).get().copied().unwrap_or(i64::MAX);
    let place = (numbers.is_none(), numbers.unwrap_or_default(), port, name.to_owned());
    let nic = Nic {
        name: name.to_owned().into(),
        mac: mac(kernel, name),
        driver: kernel.link_name(&file("device/driver")),
        speed: link_only(kernel, name, kernel.number(&file("speed"))).and_then(|speed| match speed {
            1.. => Known::Yes(speed),
            _ => Known::no(Reason::NotCollected, format!("{name} has no link, or its driver does not say")),
        }),
        carrier: link_only(kernel, name, kernel.switch(&file("carrier"))),
        pci_id: pci_id(kernel, &pci),
        pci,
        mtu: kernel.number(&file("mtu")),
    };
    (place, nic)
}

/// The kernel answers for the link only while the interface is up.
fn link_only<T>(kernel: &Kernel, name: &str, found: Known<T>) -> Known<T> {
    match found {
        Known::No(why)
            if why.reason == Reason::Unreadable
                && kernel.text(&format!("{NET}/{name}/operstate")).text() == Some("down") =>
        {
            Known::no(Reason::NotCollected, format!("{name} is down: bring it up to see its link"))
        }
        found => found,
    }
}

/// The address that the card was made with. A bond's member wears the bond's address and keeps its own aside; an
/// address that was set hides it.
fn mac(kernel: &Kernel, name: &str) -> Known<String> {
    let file = |file: &str| format!("{NET}/{name}/{file}");
    let own = match kernel.text(&file("bonding_slave/perm_hwaddr")) {
        Known::Yes(own) => Known::Yes(own),
        Known::No(_) if matches!(kernel.number(&file("addr_assign_type")), Known::Yes(kind) if kind != 0) => {
            return Known::no(
                Reason::NotCollected,
                format!("the address of {name} was set; `ethtool -P {name}` shows the card's own"),
            );
        }
        Known::No(_) => kernel.text(&file("address")),
    };
    own.and_then(|text| {
        let is_mac = text.len() == 17
            && text.split(':').count() == 6
            && text.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match is_mac {
            true => Known::Yes(text.to_ascii_lowercase()),
            false => Known::no(Reason::Unreadable, format!("the address of {name} is no MAC address")),
        }
    })
}

/// The nearest device on the way up that sits on the PCI bus: the card itself, or what a virtio device hangs on.
fn pci_address(kernel: &Kernel, device: &str) -> Known<String> {
    kernel.resolved(device).and_then(|path| {
        let found = path.ancestors().filter_map(file_name).find(|name| parse_pci(name).is_some());
        found.map_or_else(
            || Known::no(Reason::NotApplicable, "not on the PCI bus"),
            |address| Known::Yes(address.to_ascii_lowercase()),
        )
    })
}

/// `0000:3b:00.0` as domain, bus, device, function.
pub(super) fn parse_pci(text: &str) -> Option<[u32; 4]> {
    let (rest, function) = text.split_once('.')?;
    let parts: Vec<_> = rest.split(':').collect();
    let [domain, bus, device] = parts.as_slice() else { return None };
    let hex = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let plain = digits.contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.then(|| u32::from_str_radix(text, 16).ok()).flatten()
    };
    Some([hex(domain, 4..=8)?, hex(bus, 2..=2)?, hex(device, 2..=2)?, hex(function, 1..=1)?])
}

/// `8086:1572`.
fn pci_id(kernel: &Kernel, pci: &Known<String>) -> Known<String> {
    pci.as_ref().and_then(|pci| {
        let part = |part: &str| kernel.text(&format!("/sys/bus/pci/devices/{pci}/{part}"));
        match (part("vendor"), part("device")) {
            (Known::Yes(vendor), Known::Yes(device)) => {
                let digits = |text: &str| text.trim_start_matches("0x").to_ascii_lowercase();
                format!("{}:{}", digits(&vendor), digits(&device)).into()
            }
            (Known::No(why), _) | (_, Known::No(why)) => Known::No(why),
        }
    })
}

/// The disks, by name; no loops, RAM disks, optical drives or hidden paths.
pub(super) fn disks(kernel: &Kernel) -> Known<Vec<Disk>> {
    kernel
        .names(BLOCK)
        .map(|names| names.iter().filter(|name| is_disk(kernel, name)).map(|name| disk(kernel, name)).collect())
}

fn is_disk(kernel: &Kernel, name: &str) -> bool {
    /// SCSI's number for CD and DVD drives.
    const OPTICAL: i64 = 5;
    let number = |file: &str| kernel.number(&format!("{BLOCK}/{name}/{file}")).get().copied();
    kernel.exists(&format!("{BLOCK}/{name}/device"))
        && !name.starts_with("fd")
        && number("device/type") != Some(OPTICAL)
        && number("hidden") != Some(1)
}

fn disk(kernel: &Kernel, name: &str) -> Disk {
    /// The kernel counts in these whatever the disk's own sectors are.
    const SECTOR: i64 = 512;
    let file = |file: &str| format!("{BLOCK}/{name}/{file}");
    let size = kernel.number(&file("size")).and_then(|sectors| {
        let bytes = if sectors < 0 { None } else { sectors.checked_mul(SECTOR) };
        bytes.map_or_else(|| Known::no(Reason::Unreadable, format!("{} is no size", file("size"))), Known::Yes)
    });
    Disk {
        name: name.to_owned().into(),
        size,
        model: kernel.text(&file("device/model")),
        rotational: kernel.switch(&file("queue/rotational")),
    }
}
