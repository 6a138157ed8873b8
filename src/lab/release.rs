//! Which server a host runs: what it checks, speaks and has depends on it. Facts of `xapi`'s versions, not of products.

use super::db::{Fields, key};

/// The version of xapi that stands for a release line: 8.2 is 1.249, XCP-ng 8.3 is 24.19 and newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(pub u32, pub u32, pub u32);

/// Products by the start of their version, with the version of xapi that they ship. 6.x did not number it.
const PRODUCTS: [(&str, Line); 16] = [
    ("6.0", Line(0, 60, 0)),
    ("6.1", Line(0, 61, 0)),
    ("6.2", Line(0, 62, 0)),
    ("6.5", Line(0, 65, 0)),
    ("6.", Line(0, 65, 0)),
    ("7.0", Line(1, 9, 81)),
    ("7.1", Line(1, 14, 0)),
    ("7.2", Line(1, 30, 0)),
    ("7.3", Line(1, 50, 0)),
    ("7.4", Line(1, 60, 0)),
    ("7.5", Line(1, 90, 0)),
    ("7.6", Line(1, 110, 0)),
    ("8.0", Line(1, 160, 0)),
    ("8.1", Line(1, 214, 0)),
    ("8.2", Line(1, 249, 0)),
    ("8.", Line(24, 19, 2)),
];

/// API versions up to 8.2, each of one release, with the version of xapi that answers it.
const APIS: [((i64, i64), Line); 16] = [
    ((1, 9), Line(0, 60, 0)),
    ((1, 10), Line(0, 61, 0)),
    ((2, 0), Line(0, 62, 0)),
    ((2, 1), Line(0, 62, 0)),
    ((2, 3), Line(0, 65, 0)),
    ((2, 4), Line(0, 65, 0)),
    ((2, 5), Line(1, 9, 81)),
    ((2, 6), Line(1, 14, 0)),
    ((2, 7), Line(1, 30, 0)),
    ((2, 8), Line(1, 50, 0)),
    ((2, 9), Line(1, 60, 0)),
    ((2, 10), Line(1, 90, 0)),
    ((2, 11), Line(1, 110, 0)),
    ((2, 12), Line(1, 160, 0)),
    ((2, 14), Line(1, 214, 0)),
    ((2, 15), Line(1, 249, 0)),
];

impl Line {
    /// The newest that is modelled.
    pub const NEWEST: Self = Self(26, 17, 0);

    /// What a host record says that it runs.
    pub fn of_host(host: &Fields) -> Self {
        let said = |name| key(host, "software_version", name);
        let numbered = said("xapi_build").or_else(|| said("xapi")).and_then(Self::parse);
        if let Some(line) = numbered.filter(|line| line.0 >= 21) {
            let patch = said("git_id").and_then(|patch| patch.parse().ok()).unwrap_or(0);
            return if said("xapi_build").is_some() { line } else { Self(line.0, line.1, patch) };
        }
        let product = said("product_version").unwrap_or("");
        let by_product = PRODUCTS.iter().find(|(start, _)| product.starts_with(start)).map(|(_, line)| *line);
        // A record without its product is that of the release whose API it has.
        let number =
            |name| host.get(name).and_then(|number| number.as_i64().or_else(|| number.as_str()?.parse().ok()));
        let api = number("API_version_major").zip(number("API_version_minor"));
        let by_api = || APIS.iter().find(|(known, _)| Some(*known) == api).map(|(_, line)| *line);
        by_product.or_else(by_api).unwrap_or(Self::NEWEST)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(['.', '-']).map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or(0)))
    }

    /// Whether this is at least the version `major.minor`.
    pub fn since(self, major: u32, minor: u32) -> bool {
        self >= Self(major, minor, 0)
    }

    /// 5.6 to 6.5: masks instead of levels.
    pub fn masks(self) -> bool {
        self.0 == 0
    }

    /// Whether it answers JSON-RPC: from 7.0 on.
    pub fn speaks_json(self) -> bool {
        !self.masks()
    }
}

/// The `major.minor` of a host's xapi, as the emergency check after a join compares it.
pub(super) fn xapi_build(host: &Fields) -> Option<(u32, u32)> {
    let line = Line::parse(key(host, "software_version", "xapi_build")?)?;
    Some((line.0, line.1))
}

/// Whether a class exists on a release line.
pub(super) fn has_class(line: Line, class: &str) -> bool {
    match class {
        "Cluster" | "Cluster_host" | "network_sriov" => line.since(1, 90),
        "Certificate" => line.since(1, 249),
        "SDN_controller" => line.since(1, 30),
        "pool_update" | "PVS_site" | "PVS_server" | "PVS_proxy" | "PVS_cache_storage" => line.since(1, 14),
        "VMSS" | "VUSB" | "USB_group" | "PUSB" => line.since(1, 30),
        "Repository" => line.since(1, 301),
        "VTPM" | "VM_group" | "Observer" => line.since(23, 0),
        _ => true,
    }
}

/// What a host calls itself in messages to people: `XCP-ng 8.3.0`.
pub(super) fn title(host: &Fields) -> String {
    let brand = key(host, "software_version", "product_brand").unwrap_or("XenServer");
    let version = key(host, "software_version", "product_version").unwrap_or("");
    format!("{brand} {version}, xapi {}", key(host, "software_version", "xapi").unwrap_or("unnumbered"))
}
