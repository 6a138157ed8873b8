//! Which release a host runs, read from what it says of itself (`rules/data/releases.toml`).

use std::cmp::Ordering;

use crate::facts::{Known, Reason, facts};
use crate::snapshot::Host;

/// A release line as `rules/data/releases.toml` describes it.
#[derive(Debug)]
pub struct ReleaseLine {
    /// What operators call it.
    pub name: &'static str,
    /// The API version that it shipped with.
    pub api: &'static str,
    /// The first version of xapi of the line.
    pub xapi: &'static str,
    /// What its product version starts with.
    pub product: &'static str,
    /// How many hosts its documentation allows in a pool.
    pub documented_hosts: i64,
}

/// All lines, oldest first.
pub const RELEASES: &[ReleaseLine] = include!(concat!(env!("OUT_DIR"), "/releases.rs"));

facts! {
    /// The release of the joiner, whose own software runs the join checks.
    pub struct Release as "release" {
        /// What operators call the line.
        pub name: Known<String>,
        /// The version of xapi that decides which checks exist; 0.6x for XenServer 6.x.
        pub xapi: Known<String>,
        /// How many hosts the line's documentation allows in a pool.
        pub documented_hosts: Known<i64>,
    }
}

/// From here on one API version, and so one line, stands for versions of xapi whose checks differ.
const SHARED: &str = "24";

/// Reads the release of a host: its xapi_build, else xapi where that is the build's own number, else the product
/// version of a line that has only one version of xapi, else its API version.
pub fn release_of(host: &Host) -> Release {
    let line = line_of(host);
    let missing = || {
        let name = host.name_label.text().unwrap_or("the host");
        format!("neither software_version nor the API version of {name} tells a release that is known here")
    };
    Release {
        name: line.map_or_else(|| Known::no(Reason::NotCollected, missing()), |line| line.name.to_owned().into()),
        xapi: match (build_of(host), line) {
            (Some(build), _) => Known::Yes(build),
            // What is assumed is the line as it was released.
            (None, Some(line)) if host.assumed_release.get().is_some() => Known::Yes(line.xapi.to_owned()),
            (None, Some(line)) if at_least(line.xapi, SHARED) => Known::no(
                Reason::NotCollected,
                format!(
                    "{} spans versions of xapi that check different things, and software_version tells none",
                    line.name
                ),
            ),
            (None, Some(line)) => Known::Yes(line.xapi.to_owned()),
            (None, None) => Known::no(Reason::NotCollected, missing()),
        },
        documented_hosts: line
            .map_or_else(|| Known::no(Reason::NotCollected, missing()), |line| line.documented_hosts.into()),
    }
}

/// Whether the host says of itself that it is older than 8's previews: an `xapi` of "1.x" and no `xapi_build`.
fn says_old(host: &Host) -> bool {
    let version = host.software_version.get().filter(|said| !said.contains_key("xapi_build"));
    let major = version.and_then(|said| said.get("xapi")?.split('.').next()?.parse::<u32>().ok());
    major.is_some_and(|major| major < 21)
}

/// xapi's own version, where the host says it in a numbering that grows: since 8's previews, `22.20.0` and newer.
fn build_of(host: &Host) -> Option<String> {
    let software = host.software_version.get()?;
    let version = software.get("xapi_build").or_else(|| software.get("xapi"))?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    // 8.2 and older report an unrelated number ("1.20") under `xapi` and have no `xapi_build`.
    (major >= 21).then(|| version.clone())
}

fn line_of(host: &Host) -> Option<&'static ReleaseLine> {
    if let Some(build) = build_of(host) {
        return RELEASES.iter().rev().find(|line| at_least(&build, line.xapi) && at_least(line.xapi, "21"));
    }
    let api = match (&host.api_version_major, &host.api_version_minor) {
        (Known::Yes(major), Known::Yes(minor)) => Some(format!("{major}.{minor}")),
        _ => None,
    };
    let has_api = |line: &ReleaseLine| api.as_ref().is_some_and(|api| line.api == api);
    let product = host.software_version.get().and_then(|said| said.get("product_version"));
    let is_product = |line: &ReleaseLine| product.is_some_and(|product| is_of(product, line.product));
    // A service pack shares its line's product version and has an API version of its own.
    let old = || RELEASES.iter().rev().filter(|line| is_product(line) && !at_least(line.xapi, "21"));
    if let Some(line) = old().find(|line| has_api(line)).or_else(|| old().next()) {
        return Some(line);
    }
    let fits = |line: &&ReleaseLine| has_api(line) && !(says_old(host) && at_least(line.xapi, "21"));
    RELEASES.iter().find(fits).or_else(|| RELEASES.iter().rev().find(|line| is_product(line)))
}

/// Whether a product version is of a line: `8.2.1` of `8.2`.
fn is_of(product: &str, line: &str) -> bool {
    product.strip_prefix(line).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Compares dotted versions number by number; a missing number is zero; parts that are no numbers compare as text.
pub fn compare_versions(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) => {
                let (a, b) = (a.unwrap_or("0"), b.unwrap_or("0"));
                let order = match (a.parse::<u64>(), b.parse::<u64>()) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    _ => a.cmp(b),
                };
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

/// Whether a version is the other or later.
pub fn at_least(version: &str, other: &str) -> bool {
    compare_versions(version, other).is_ge()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn host(software: &[(&str, &str)], api: Option<(i64, i64)>) -> Host {
        let software: BTreeMap<_, _> =
            software.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Host {
            software_version: software.into(),
            api_version_major: api.map_or_else(Known::absent, |(major, _)| major.into()),
            api_version_minor: api.map_or_else(Known::absent, |(_, minor)| minor.into()),
            ..Host::default()
        }
    }

    #[test]
    fn a_release_is_read_from_what_the_host_says() {
        let xapi = |host: Host| release_of(&host).xapi.get().cloned();
        let name = |host: Host| release_of(&host).name.get().cloned();
        assert_eq!(xapi(host(&[("xapi", "26.17"), ("xapi_build", "26.17.0")], Some((2, 23)))).unwrap(), "26.17.0");
        assert_eq!(xapi(host(&[("xapi", "1.20")], Some((2, 15)))).unwrap(), "1.249");
        // An API version that belongs to a later line does not make a build of 8.2 one of that line.
        let odd = [("xapi", "1.20"), ("product_version", "8.2.1")];
        assert_eq!(xapi(host(&odd, Some((2, 20)))).unwrap(), "1.249");
        // Nor does that of an older one.
        assert_eq!(xapi(host(&odd, Some((2, 0)))).unwrap(), "1.249");
        assert_eq!(name(host(&[("product_version", "6.2.0")], Some((2, 1)))).unwrap(), "XenServer 6.2 SP1");
        assert_eq!(name(host(&[("product_version", "6.2.0")], Some((2, 0)))).unwrap(), "XenServer 6.2");
        assert_eq!(name(host(&[("product_version", "7.1.2")], None)).unwrap(), "XenServer 7.1");
        assert_eq!(name(host(&[("xapi_build", "25.6.0")], Some((2, 21)))).unwrap(), "XenServer 8 / XCP-ng 8.3");
        // API 2.21 alone does not say which checks exist.
        let bare = host(&[("product_version", "8.4.0")], Some((2, 21)));
        assert_eq!((name(bare.clone()).unwrap().as_str(), xapi(bare)), ("XenServer 8 / XCP-ng 8.3", None));
        assert_eq!(name(host(&[], None)), None);
        assert_eq!(name(host(&[("product_version", "banana")], Some((99, 1)))), None);
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(at_least("25.33.2", "25.6.0"));
        assert!(!at_least("1.9.81", "1.14"));
        assert!(at_least("1.249", "1.249.0") && at_least("1.249.0", "1.249"));
    }
}
