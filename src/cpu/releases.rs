//! What each Xen release knows and offers, and which one a product ships. The tables come from
//! `rules/data/xen-releases.toml` when the program is built.

use crate::facts::Featureset;

/// What a release of Xen does with features.
#[derive(Debug)]
pub struct XenRelease {
    index: usize,
    /// `4.17` for the tip of a stable branch, `4.17.0` for the first release of it, `unstable`.
    pub name: &'static str,
    known: &'static [u32],
    special: &'static [u32],
    pv: [&'static [u32]; 2],
    hap: [&'static [u32]; 2],
}

/// A product release, for `--as-release`.
#[derive(Debug)]
pub struct Product {
    /// What an operator types: `xcp-ng-8.3`.
    pub name: &'static str,
    /// What an operator reads: `XCP-ng 8.3`.
    pub title: &'static str,
    /// The Xen release whose tables apply.
    pub xen: &'static str,
    /// Whether its hosts tell the default sets (`features_*_host`) from the largest; before 8.1 they do not.
    pub two_sets: bool,
}

/// A product that is not known; the message says which are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no release {name:?}{}; known are {}", hint(*.nearest), known())]
pub struct UnknownProduct {
    /// What was asked for.
    pub name: String,
    /// The nearest known name, where one is near.
    pub nearest: Option<&'static str>,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean {name}?)")).unwrap_or_default()
}

fn known() -> String {
    PRODUCTS.iter().map(|product| product.name).collect::<Vec<_>>().join(", ")
}

static RELEASES: [XenRelease; 33] = include!(concat!(env!("OUT_DIR"), "/xen_releases.rs"));
static PRODUCTS: [Product; 18] = include!(concat!(env!("OUT_DIR"), "/xen_products.rs"));
/// A feature, one that needs it, and in which releases, as bits.
static DEPENDENCIES: &[(usize, usize, u64)] = include!(concat!(env!("OUT_DIR"), "/xen_dependencies.rs"));

/// All releases of Xen, oldest first releases first, then the tips of the stable branches.
pub fn releases() -> &'static [XenRelease] {
    &RELEASES
}

/// The products for `--as-release`.
pub fn products() -> &'static [Product] {
    &PRODUCTS
}

/// The release with this name.
pub fn release(name: &str) -> Option<&'static XenRelease> {
    RELEASES.iter().find(|release| release.name == name)
}

/// The release that fits a host's `software_version.xen`: `4.17.5-13` is the tip of 4.17.
pub fn release_of_version(version: &str) -> Option<&'static XenRelease> {
    let mut numbers = version.split(['.', '-', '+']);
    let (major, minor) = (numbers.next()?, numbers.next()?);
    release(&format!("{major}.{minor}"))
}

/// The product that an operator means: case and blanks do not matter, and neither does a third number (`8.2.1`).
pub fn product(name: &str) -> Result<&'static Product, UnknownProduct> {
    let typed = name.trim().to_lowercase().replace([' ', '_'], "-");
    let mut wanted = typed.as_str();
    loop {
        if let Some(product) = PRODUCTS.iter().find(|product| product.name == wanted) {
            return Ok(product);
        }
        match wanted.rsplit_once('.') {
            Some((shorter, _)) => wanted = shorter,
            None => break,
        }
    }
    let nearest = PRODUCTS
        .iter()
        .map(|product| (strsim::jaro_winkler(product.name, &typed), product.name))
        .filter(|(likeness, _)| *likeness > 0.93)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, name)| name);
    Err(UnknownProduct { name: name.to_owned(), nearest })
}

impl Product {
    /// The Xen that it ships.
    pub fn xen(&self) -> Option<&'static XenRelease> {
        release(self.xen)
    }
}

impl XenRelease {
    /// How many words its featuresets have.
    pub const fn words(&self) -> usize {
        self.known.len()
    }

    /// The bits that it names.
    pub fn known(&self) -> Featureset {
        Featureset::new(self.known.to_vec())
    }

    /// The bits that it decides itself.
    pub fn special(&self) -> Featureset {
        Featureset::new(self.special.to_vec())
    }

    /// What PV guests may have at most, and by default.
    pub fn pv(&self) -> [Featureset; 2] {
        self.pv.map(|words| Featureset::new(words.to_vec()))
    }

    /// What HVM guests with nested paging may have at most, and by default.
    pub fn hvm(&self) -> [Featureset; 2] {
        self.hap.map(|words| Featureset::new(words.to_vec()))
    }

    /// The minor version, for what changed without a trace in the masks; the development branch is newest.
    pub fn minor(&self) -> u32 {
        self.name.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(u32::MAX)
    }

    /// Takes away what lacks something that it needs.
    pub fn close(&self, set: &mut Featureset) {
        let applies = |releases: u64| releases >> self.index & 1 == 1;
        loop {
            let lost = DEPENDENCIES
                .iter()
                .filter(|(needed, by, releases)| applies(*releases) && set.has(*by) && !set.has(*needed))
                .map(|(_, by, _)| *by)
                .collect::<Vec<_>>();
            if lost.is_empty() {
                return;
            }
            for feature in lost {
                set.set(feature, false);
            }
        }
    }
}
