//! From where the machine is seen: bare, from inside a guest, or from Xen's control domain.

use super::kernel::Kernel;
use crate::cpu::leaves::HypervisorLeaves;
use crate::facts::{Known, Reason};
use crate::snapshot::Hypervisor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    BareMetal,
    Guest,
    Dom0,
}

impl Role {
    /// `flagged` is whether the kernel itself says that it runs on a hypervisor. A PV domain's CPUID may leak the
    /// bare CPU's answers, so that each witness alone is enough for a hypervisor.
    pub(super) fn of(kernel: &Kernel, leaves: &HypervisorLeaves, flagged: bool) -> Self {
        let xen = kernel.text("/sys/hypervisor/type").text() == Some("xen");
        if is_control_domain(kernel, xen) {
            Self::Dom0
        } else if xen || flagged || leaves.present || !leaves.signatures.is_empty() {
            Self::Guest
        } else {
            Self::BareMetal
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::BareMetal => "bare-metal",
            Self::Guest => "guest",
            Self::Dom0 => "dom0",
        }
    }

    /// Why a fact of the machine cannot be seen from here; nothing on the bare machine.
    pub(super) const fn hidden_by(self) -> Option<&'static str> {
        match self {
            Self::BareMetal => None,
            Self::Guest => Some("a guest sees the virtual machine, not the machine below it"),
            Self::Dom0 => Some("the control domain sees a virtual machine; its toolstack knows the machine itself"),
        }
    }
}

/// The privileged interface says so; without xenfs, the control domain is the one whose uuid is all zeros.
fn is_control_domain(kernel: &Kernel, xen: bool) -> bool {
    if let Some(capabilities) = kernel.text("/proc/xen/capabilities").text() {
        return capabilities.split_whitespace().any(|word| word == "control_d");
    }
    let uuid = kernel.text("/sys/hypervisor/uuid");
    xen && uuid.text().is_some_and(|uuid| uuid.chars().all(|c| matches!(c, '0' | '-')))
}

pub(super) fn hypervisor(kernel: &Kernel, leaves: &HypervisorLeaves, role: Role) -> Hypervisor {
    Hypervisor {
        present: leaves.present.into(),
        signature: leaves.signatures.first().cloned().unwrap_or_default().into(),
        xen_version: xen_version(kernel, leaves, role),
        role: role.word().to_owned().into(),
        filtered: (role != Role::BareMetal).into(),
    }
}

fn xen_version(kernel: &Kernel, leaves: &HypervisorLeaves, role: Role) -> Known<String> {
    if let Some((major, minor)) = leaves.xen_version {
        return format!("{major}.{minor}").into();
    }
    let part = |name| kernel.number(&format!("/sys/hypervisor/version/{name}"));
    match (part("major"), part("minor")) {
        (Known::Yes(major), Known::Yes(minor)) => format!("{major}.{minor}").into(),
        _ if role == Role::BareMetal => Known::no(Reason::NotApplicable, "no Xen runs below this system"),
        (Known::No(why), _) | (_, Known::No(why)) => Known::No(why),
    }
}
