//! What the server's join checks look up, as rules read it (`join`). The rest of this room fills it in.

use crate::facts::{Known, facts};
use crate::snapshot::{ClusterHost, Pif, SdnController};

facts! {
    /// What the server's join checks look up on the way to their answer.
    pub struct JoinFacts<'a> as "join_facts" {
        /// True where every host of the pool that its records name is among its hosts; unknown where one is not, because
        /// nobody knows then how many and which hosts the pool has.
        pub hosts_complete: Known<bool>,
        /// Addresses of the joiner's interfaces that interfaces of the pool's members have too, but for those of both host records.
        pub address_clashes: Known<Vec<AddressClash>>,
        /// Members of the pool that its coordinator does not reach.
        [volatile] pub members_down: Known<Vec<OddMember>>,
        /// Members of the pool with another build of the toolstack or another CPU vendor than the coordinator.
        pub members_unlike: Known<Vec<OddMember>>,
        /// The joiner's network backend: of now where known, else what its software_version wrote down at its last start.
        pub backend: Known<String>,
        /// Whether the latter stands in for the former, which is not on the wire.
        pub backend_stands_in: bool,
        /// The joiner's OpenFlow controller that the server compares, or null.
        pub sdn_controller: Known<Option<&'a SdnController>>,
        /// The pool's, or null.
        pub pool_sdn_controller: Known<Option<&'a SdnController>>,
        /// The first of the joiner's NBD purposes that the server meets, or null.
        pub nbd_purpose: Known<Option<String>>,
        /// The first of the pool's, or null.
        pub pool_nbd_purpose: Known<Option<String>>,
        /// The comparison of editions.
        pub edition: Known<EditionFacts>,
        /// The network of the cluster that new members join by themselves, or null when there is none.
        pub cluster: Known<Option<ClusterFacts>>,
        /// The joiner's memberships in a cluster; more than one breaks the server's check down.
        pub own_cluster_hosts: Known<Vec<&'a ClusterHost>>,
        /// The joiner's VLANs with the interface of each.
        pub vlans: Known<Vec<VlanFact<'a>>>,
        /// Names under which both sides keep different certificates of an authority.
        pub ca_conflicts: Known<Vec<CaConflict>>,
        /// Certificates that both sides trust for different, overlapping purposes.
        pub trusted_conflicts: Known<Vec<TrustedConflict>>,
        /// The pool's storage drivers, each with what the joiner has in its place.
        pub drivers: Known<Vec<DriverFact>>,
        /// uuids of the joiner's updates that all members must have.
        pub updates: Known<Vec<String>>,
        /// uuids of the coordinator's updates that all members must have.
        pub pool_updates: Known<Vec<String>>,
        /// uuids of the joiner's patches (7.0 and older).
        pub patches: Known<Vec<String>>,
        /// uuids of the coordinator's patches (7.0 and older).
        pub pool_patches: Known<Vec<String>>,
    }

    /// An address that an interface of the joiner and one of a member have.
    pub struct AddressClash as "address_clash" {
        /// The address.
        pub address: String,
        /// Whether it is an IPv6 address.
        pub ipv6: bool,
        /// The joiner's device.
        pub device: String,
        /// The joiner's interface.
        pub uuid: Known<String>,
        /// What the member is called.
        pub member: String,
        /// Its device.
        pub member_device: String,
    }

    /// A member of the pool that is not as the coordinator is.
    pub struct OddMember as "odd_member" {
        /// Its name, else its uuid.
        pub name: String,
        /// Its uuid.
        pub uuid: Known<String>,
        /// In what: `not live`, or what it has where the coordinator has something else.
        pub about: String,
    }

    /// How the server compares the joiner's edition with the pool's.
    pub struct EditionFacts as "edition_facts" {
        /// `same`, `same-order`, `lower`, `higher` (the joiner's), `unknown-edition`, `no-daemon`.
        pub answer: String,
        /// Whether the server accepts it.
        pub fits: bool,
        /// The edition of the pool that counts: the lowest of its hosts; empty where orders were not compared.
        pub pool: String,
        /// The edition that the licence daemon does not know; empty when it knows all.
        pub unknown: String,
    }

    /// The cluster's network as a joiner would have to reach it.
    pub struct ClusterFacts as "cluster_network" {
        /// The device that carries the cluster at the member that the server looks at.
        pub device: Known<String>,
        /// Its VLAN tag; -1 for untagged.
        pub vlan: i64,
        /// Whether it carries management too.
        pub management: bool,
        /// The bridges on which the server looks for the joiner's address: the members' for a bond.
        pub bridges: Known<Vec<String>>,
        /// How many of the joiner's interfaces have an IPv4 address on these bridges.
        pub addresses: Known<i64>,
    }

    /// A VLAN of the joiner.
    pub struct VlanFact<'a> as "vlan_fact" {
        /// The VLAN's uuid.
        pub uuid: Known<String>,
        /// The tag.
        pub tag: Known<i64>,
        /// Reference of the VLAN's own interface; OpaqueRef:NULL for none.
        pub own: String,
        /// The VLAN's own interface, or null when the reference leads nowhere.
        pub interface: Option<&'a Pif>,
    }

    /// A name under which both sides keep different certificates.
    pub struct CaConflict as "ca_conflict" {
        /// The name; may be empty.
        pub name: String,
        /// SHA-256 fingerprint of the joiner's.
        pub fingerprint: String,
        /// SHA-256 fingerprint of the pool's.
        pub pool_fingerprint: String,
    }

    /// A certificate that both sides trust for different, overlapping purposes.
    pub struct TrustedConflict as "trusted_conflict" {
        /// Its SHA-256 fingerprint.
        pub fingerprint: String,
        /// Reference of the joiner's record.
        pub reference: String,
        /// uuid of the joiner's record.
        pub uuid: Known<String>,
        /// Reference of the pool's record.
        pub pool_reference: String,
        /// The joiner's purposes; none means all.
        pub purpose: Vec<String>,
        /// The pool's purposes; none means all.
        pub pool_purpose: Vec<String>,
    }

    /// A storage driver of the pool and what the joiner has in its place.
    pub struct DriverFact as "driver_fact" {
        /// The kind of SR that it drives.
        pub name: String,
        /// Reference of the pool's record.
        pub pool_reference: String,
        /// Reference of the joiner's record; empty when it has none or several.
        pub reference: String,
        /// How many drivers of this kind the joiner has.
        pub count: i64,
        /// Features of the pool's that the joiner's lacks or has in a lower version: `VDI_CREATE/2`.
        pub missing: Vec<String>,
    }
}
