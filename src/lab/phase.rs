//! What a host is doing, from where it stands alone to where it is an enabled member, and back.

/// A step in the life of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Nothing: a standalone host, or a coordinator.
    Idle,
    /// `pool.join`: logged in to the pool, checking.
    Checking,
    /// `pool.join`: fetching the pool's secret, exchanging certificates.
    Certificates,
    /// `pool.join`: writing itself into the pool's database.
    Metadata,
    /// `pool.join`: has become a member on disk; not yet restarted.
    Switching,
    /// The toolstack is down.
    Restarting,
    /// The toolstack starts as a member and asks the coordinator about itself.
    Starting,
    /// Known to the coordinator; takes over bonds, VLANs, storage.
    Synchronising,
    /// A member that takes VMs.
    Member,
    /// In emergency mode: neither standalone nor a working member.
    Emergency,
    /// `pool.eject`: unplugging and forgetting.
    Ejecting,
    /// Reboots after an eject.
    Rebooting,
    /// Sets itself up as after an installation.
    FirstBoot,
    /// Does not come back.
    Dead,
}

impl Phase {
    /// All, in the order of a host's life.
    pub const ALL: [Self; 14] = [
        Self::Idle,
        Self::Checking,
        Self::Certificates,
        Self::Metadata,
        Self::Switching,
        Self::Restarting,
        Self::Starting,
        Self::Synchronising,
        Self::Member,
        Self::Emergency,
        Self::Ejecting,
        Self::Rebooting,
        Self::FirstBoot,
        Self::Dead,
    ];

    /// The word for it in faults and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Checking => "checking",
            Self::Certificates => "certificates",
            Self::Metadata => "metadata",
            Self::Switching => "switching",
            Self::Restarting => "restarting",
            Self::Starting => "starting",
            Self::Synchronising => "synchronising",
            Self::Member => "member",
            Self::Emergency => "emergency",
            Self::Ejecting => "ejecting",
            Self::Rebooting => "rebooting",
            Self::FirstBoot => "first-boot",
            Self::Dead => "dead",
        }
    }

    /// The phase of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// Whether nothing answers on its address.
    pub(super) const fn is_down(self) -> bool {
        matches!(self, Self::Restarting | Self::Rebooting | Self::Dead)
    }
}
