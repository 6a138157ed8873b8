//! What was observed, and nothing else: the versioned model of a pool (a standalone host is a pool of one).
//! Pure data; `collect` fills it, `cpu`, `network` and `rules` read it. No I/O here.

mod admit;
mod cluster;
mod hardware;
mod host;
mod network;
mod pool;
mod read;
mod schema;
mod security;
mod software;
mod storage;
mod vm;

pub use cluster::{Cluster, ClusterHost};
pub use hardware::{BootParameters, Clock, CpuGroup, Disk, Hardware, Hypervisor, Nic};
pub use host::{EditionOrder, Host, HostCpu};
pub use network::{Bond, Network, NetworkSriov, Pif, SdnController, Tunnel, Vlan};
pub use pool::{Pool, PoolCpu};
pub use read::{FORMAT, MAJOR, MINOR, ReadError, Snapshot, Source, SourceKind, read_snapshot};
pub use schema::json_schema;
pub use security::{Certificate, PvsSite, Secret};
pub use software::{HostPatch, PoolPatch, PoolUpdate};
pub use storage::{Pbd, Sm, Sr, Vdi};
pub use vm::{Disk as VmDisk, Vif, Vm};

/// What is said where a document is followed by another one.
pub(crate) const MORE_DOCUMENTS: &str = "; a second document follows: where that is a fleet, a host a line, name it to `check --fleet`, `cpu level` or `plan`, else name a file with one";
