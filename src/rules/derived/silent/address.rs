//! Management addresses: one subnet or two, private or public.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::told;
use crate::facts::{Found, Known, Reason, Unknown, need};
use crate::snapshot::Pif;

/// An address and how many bits of it name the subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subnet {
    address: IpAddr,
    prefix: u32,
}

impl Subnet {
    /// The subnet alone, in the address's own width.
    fn net(self) -> (u32, u128) {
        let (width, bits) = match self.address {
            IpAddr::V4(address) => (32, u128::from(u32::from(address))),
            IpAddr::V6(address) => (128, u128::from(address)),
        };
        (width, bits.checked_shr(width - self.prefix).unwrap_or(0))
    }
}

/// The address of a management interface, IPv4 first unless it is an IPv6 one; none where it has none.
pub(super) fn of(pif: &Known<Option<&Pif>>) -> Known<Option<Subnet>> {
    match pif {
        Known::No(why) => Known::No(why.clone()),
        Known::Yes(None) => Known::Yes(None),
        Known::Yes(Some(pif)) => read(pif).map_or_else(Known::No, Known::Yes),
    }
}

fn read(pif: &Pif) -> Found<Option<Subnet>> {
    let six = told(&pif.primary_address_type)?.is_some_and(|family| family == "IPv6");
    if six {
        let Some(text) = need(&pif.ipv6)?.first() else { return Ok(None) };
        return six_of(text).map(Some).ok_or_else(|| no_address(text));
    }
    let (ip, mask) = (need(&pif.ip)?, need(&pif.netmask)?);
    if ip.is_empty() || mask.is_empty() {
        return Ok(None);
    }
    four_of(ip, mask).map(Some).ok_or_else(|| no_address(&format!("{ip}/{mask}")))
}

fn four_of(ip: &str, mask: &str) -> Option<Subnet> {
    let mask: Ipv4Addr = mask.parse().ok()?;
    let address = IpAddr::V4(ip.parse().ok()?);
    Some(Subnet { address, prefix: u32::from(mask).leading_ones() })
}

fn six_of(text: &str) -> Option<Subnet> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "128"));
    let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 128)?;
    Some(Subnet { address: IpAddr::V6(address.parse().ok()?), prefix })
}

fn no_address(text: &str) -> Unknown {
    Unknown::because(Reason::Unreadable, format!("\"{}\" is no address", text.escape_debug()))
}

/// Whether two addresses are in one subnet by both sides' masks; none where a side has no address.
pub(super) fn same_subnet(ours: &Known<Option<Subnet>>, theirs: &Known<Option<Subnet>>) -> Found<Option<bool>> {
    let (Some(ours), Some(theirs)) = (need(ours)?, need(theirs)?) else { return Ok(None) };
    Ok(Some(ours.net() == theirs.net()))
}

/// `192.0.2.13/24`; empty for none.
pub(super) fn text(subnet: &Known<Option<Subnet>>) -> String {
    match subnet {
        Known::Yes(Some(subnet)) => format!("{}/{}", subnet.address, subnet.prefix),
        _ => String::new(),
    }
}

/// Whether an address is of those that the Internet routes. Addresses for documentation are not.
pub(super) const fn is_public(subnet: Subnet) -> bool {
    match subnet.address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            let shared = first == 100 && second >= 64 && second < 128;
            !(shared
                || first == 0
                || first >= 224
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation())
        }
        IpAddr::V6(address) => is_public_six(address),
    }
}

/// 2000::/3 is what is handed out; 2001:db8::/32 of it is for documentation.
const fn is_public_six(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first >> 13 == 1 && !(first == 0x2001 && second == 0xdb8)
}
