//! What a server checks before it joins a pool: in its own order, with its own codes and parameters, by release line.
//! Written from what is known of the server, and of nothing that judges; called by the lab's `pool.join`, and by tests.

mod licence;
mod machine;
mod network;
mod software;
mod storage;

use super::answer::ApiError;
use super::db::{Db, Fields, text};
use super::release::Line;

/// What no record holds: the joiner's own daemons answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemons {
    /// The backend of the network daemon: `bridge` or `openvswitch`.
    pub backend: String,
    /// The editions of the licence daemon with their order; none when it does not answer.
    pub editions: Option<Vec<(String, i64)>>,
}

/// Both sides of a join.
#[derive(Debug)]
pub struct Sides<'a> {
    /// The joiner's own database.
    pub joiner: &'a Db,
    /// The pool's.
    pub pool: &'a Db,
    /// What the joiner's daemons say.
    pub daemons: &'a Daemons,
    /// What the joiner runs: its code asserts.
    pub line: Line,
}

pub(super) use licence::{RESTRICTED_SIZE, restricted};
pub(super) use storage::is_tools;

type Checked = Result<(), ApiError>;

/// One check of the server.
struct Check {
    name: &'static str,
    /// Whether a release line has it.
    on: fn(Line) -> bool,
    run: fn(&Sides<'_>) -> Checked,
}

const ALWAYS: fn(Line) -> bool = |_| true;
/// `pool.join_force` leaves it out, and nothing else.
const FORCED: &str = "assert_hosts_homogeneous";

/// Clustering on the joiner's network was checked from 25.8, not from 25.9, and again from 25.18 on.
fn has_cluster_address(line: Line) -> bool {
    line.since(25, 18) || (line.since(25, 8) && !line.since(25, 9))
}

/// 26.13, and brought back to 26.1.12.
fn has_trusted_certificates(line: Line) -> bool {
    line.since(26, 13) || (line >= Line(26, 1, 12) && !line.since(26, 2))
}

/// In the server's order.
const CHECKS: [Check; 37] = [
    Check { name: "assert_pool_size_unrestricted", on: |line| line.since(1, 54), run: licence::pool_size },
    Check { name: "assert_management_interface_exists", on: ALWAYS, run: network::management_exists },
    Check { name: "ha_is_not_enable_on_me", on: ALWAYS, run: machine::ha_here },
    Check { name: "clustering_is_not_enabled_on_me", on: |line| line.since(1, 93), run: machine::clustering_here },
    Check {
        name: "one_ip_configured_on_joining_cluster_network",
        on: has_cluster_address,
        run: network::cluster_address,
    },
    Check { name: "ha_is_not_enable_on_the_distant_pool", on: ALWAYS, run: machine::ha_there },
    Check { name: "assert_not_joining_myself", on: ALWAYS, run: machine::not_myself },
    Check { name: "assert_i_know_of_no_other_hosts", on: ALWAYS, run: machine::sole_host },
    Check { name: "assert_no_running_vms_on_me", on: ALWAYS, run: machine::no_running_vms },
    Check { name: "assert_no_vms_with_current_ops", on: ALWAYS, run: machine::no_vm_operations },
    Check {
        name: "assert_no_host_pending_mandatory_guidance",
        on: |line| line.since(24, 31),
        run: software::guidance,
    },
    Check { name: "assert_hosts_compatible", on: ALWAYS, run: software::compatible },
    Check { name: FORCED, on: ALWAYS, run: software::homogeneous },
    Check { name: "assert_no_shared_srs_on_me", on: ALWAYS, run: storage::no_shared_srs },
    Check { name: "assert_management_interface_is_physical", on: Line::masks, run: network::management_physical },
    Check {
        name: "assert_only_physical_pifs",
        on: |line| !line.masks() && !line.since(1, 35),
        run: network::only_physical,
    },
    Check { name: "assert_no_bonds_on_me", on: |line| line.since(1, 35), run: network::no_bonds },
    Check { name: "assert_no_tunnels_on_me", on: |line| line.since(1, 35), run: network::no_tunnels },
    Check { name: "assert_no_network_sriovs_on_me", on: |line| line.since(1, 83), run: network::no_sriovs },
    Check {
        name: "assert_no_non_management_vlans_on_me",
        on: |line| line.since(1, 35),
        run: network::no_other_vlans,
    },
    Check {
        name: "assert_management_vlan_are_same",
        on: |line| line.since(1, 35),
        run: network::same_management_vlan,
    },
    Check { name: "assert_external_auth_matches", on: ALWAYS, run: machine::external_auth },
    Check { name: "assert_restrictions_match", on: ALWAYS, run: licence::editions },
    Check { name: "assert_homogeneous_vswitch_configuration", on: ALWAYS, run: network::backend },
    Check { name: "assert_api_version_matches", on: |line| line.since(1, 14), run: software::api_version },
    Check { name: "assert_db_schema_matches", on: |line| line.since(1, 14), run: software::schema },
    Check { name: "assert_applied_patches_match", on: |line| !line.since(1, 14), run: software::patches },
    Check {
        name: "assert_homogeneous_updates",
        on: |line| line.since(1, 40) || (line.since(1, 14) && !line.since(1, 30)),
        run: software::updates,
    },
    Check {
        name: "assert_homogeneous_primary_address_type",
        on: |line| line >= Line(0, 61, 0),
        run: network::address_type,
    },
    Check { name: "assert_compatible_network_purpose", on: |line| line.since(1, 55), run: network::purposes },
    Check { name: "assert_tls_verification_matches", on: |line| line.since(1, 297), run: machine::tls_verification },
    Check {
        name: "assert_ca_certificates_compatible",
        on: |line| line.since(1, 302) && !has_trusted_certificates(line),
        run: machine::ca_certificates,
    },
    Check {
        name: "assert_legacy_ca_certificates_compatible",
        on: has_trusted_certificates,
        run: machine::ca_certificates,
    },
    Check {
        name: "assert_trusted_certificates_compatible",
        on: has_trusted_certificates,
        run: machine::trusted_certificates,
    },
    Check { name: "assert_not_in_updating_on_me", on: |line| line.since(1, 301), run: machine::updating_here },
    Check { name: "assert_no_hosts_in_updating", on: |line| line.since(1, 301), run: machine::updating_there },
    Check { name: "assert_sm_features_compatible", on: |line| line.since(24, 37), run: storage::driver_features },
];

/// Whether the joiner's licence allows pools at all: asked before it even logs in to the pool.
pub fn pooling_licensed(joiner: &Db) -> Checked {
    licence::pooling(joiner)
}

/// The first refusal of the server's checks.
pub fn pre_join(sides: &Sides<'_>, force: bool) -> Checked {
    asked(sides.line, force).try_for_each(|check| (check.run)(sides))
}

/// Every check that would refuse on its own, in the server's order and by the server's names.
pub fn failing(sides: &Sides<'_>, force: bool) -> Vec<(&'static str, ApiError)> {
    asked(sides.line, force).filter_map(|check| Some((check.name, (check.run)(sides).err()?))).collect()
}

fn asked(line: Line, force: bool) -> impl Iterator<Item = &'static Check> {
    checks(line).filter(move |check| !force || check.name != FORCED)
}

/// The names of a release line's checks, in its order.
pub fn names(line: Line) -> impl Iterator<Item = &'static str> {
    checks(line).map(|check| check.name)
}

fn checks(line: Line) -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().filter(move |check| (check.on)(line))
}

impl Sides<'_> {
    /// The joiner: a standalone host is its own coordinator.
    fn me(&self) -> (&str, &Fields) {
        host(self.joiner)
    }

    /// The pool's coordinator.
    fn coordinator(&self) -> (&str, &Fields) {
        host(self.pool)
    }
}

fn host(db: &Db) -> (&str, &Fields) {
    static NONE: std::sync::LazyLock<Fields> = std::sync::LazyLock::new(Fields::new);
    let reference = text(db.pool().1, "master");
    (reference, db.get("host", reference).unwrap_or(&NONE))
}

/// The management PIF of the host that a database belongs to; of several, the one with the higher reference.
fn management(db: &Db) -> Option<&Fields> {
    let (host, _) = host(db);
    let own = |record: &Fields| text(record, "host") == host && super::db::flag(record, "management");
    db.each("PIF").map(|(_, record)| record).find(|record| own(record))
}

/// What the server's `List.find` and `List.assoc` raise.
fn not_found() -> ApiError {
    ApiError::internal("Not_found")
}
