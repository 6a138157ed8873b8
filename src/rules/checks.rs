//! The server's own checks, from `rules/data/join-checks.toml` and `rules/data/eject-checks.toml`: which exist in which
//! version, in which order.

use super::release::at_least;
use super::rule::Phase;

/// One of the checks that pool.join runs on the joiner, or pool.eject on the member.
#[derive(Debug)]
pub struct ServerCheck {
    /// The name in the server's source.
    pub name: &'static str,
    /// What it is about, where the name does not say.
    pub about: &'static str,
    /// The versions of xapi that have it: half-open ranges, "" for open ends.
    pub versions: &'static [(&'static str, &'static str)],
    /// Whether pool.join_force leaves it out.
    pub force_skips: bool,
}

/// All checks of pool.join, in the order in which the server runs them.
pub const CHECKS: &[ServerCheck] = include!(concat!(env!("OUT_DIR"), "/join_checks.rs"));

/// All checks of pool.eject, in the order in which the server runs them.
pub const EJECT_CHECKS: &[ServerCheck] = include!(concat!(env!("OUT_DIR"), "/eject_checks.rs"));

/// The licence check that precedes the numbered ones: before the login, and not part of `failing`.
pub const LICENCE_CHECK: &str = "assert_pooling_licensed";

/// The checks behind the rules of a phase.
pub(super) const fn of(phase: Phase) -> &'static [ServerCheck] {
    match phase {
        Phase::Join | Phase::Procurement => CHECKS,
        Phase::Eject => EJECT_CHECKS,
    }
}

/// A check of a phase and its place in the server's order, by name.
pub(super) fn find(phase: Phase, name: &str) -> Option<(usize, &'static ServerCheck)> {
    of(phase).iter().enumerate().find(|(_, check)| check.name == name)
}

impl ServerCheck {
    /// Whether this version of xapi runs the check.
    pub fn exists_in(&self, xapi: &str) -> bool {
        self.versions.iter().any(|(from, until)| {
            (from.is_empty() || at_least(xapi, from)) && (until.is_empty() || !at_least(xapi, until))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_half_open_and_may_have_holes() {
        let exists = |name, xapi| find(Phase::Join, name).unwrap().1.exists_in(xapi);
        assert!(!exists("one_ip_configured_on_joining_cluster_network", "25.6.0"));
        assert!(exists("one_ip_configured_on_joining_cluster_network", "25.8.1"));
        assert!(!exists("one_ip_configured_on_joining_cluster_network", "25.9.0"));
        assert!(exists("one_ip_configured_on_joining_cluster_network", "26.17.0"));
        assert!(exists("assert_homogeneous_updates", "1.14"));
        assert!(!exists("assert_homogeneous_updates", "1.30"));
        assert!(exists("assert_trusted_certificates_compatible", "26.1.19"));
        assert!(!exists("assert_trusted_certificates_compatible", "26.12.0"));
    }

    #[test]
    fn no_check_is_listed_twice() {
        for phase in [Phase::Join, Phase::Eject] {
            for (index, check) in of(phase).iter().enumerate() {
                assert_eq!(find(phase, check.name).unwrap().0, index, "{}", check.name);
            }
        }
        // A report sorts by the name alone.
        assert!(EJECT_CHECKS.iter().all(|check| find(Phase::Join, check.name).is_none()));
    }
}
