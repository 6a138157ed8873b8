//! What the servers show while a join or an eject takes its course: the phase that a host is in, and what to do when it
//! hangs there. Pure.

use super::world::{HostLook, Member, Trouble};
use crate::text::shell_word;

/// A phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Its name, for the journal.
    pub word: &'static str,
    /// In words.
    pub about: String,
    /// What to do when it does not end.
    pub advice: String,
    /// What it means for the run.
    pub standing: Standing,
}

/// What a phase means for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has come to its end.
    Arrived,
    /// It may still come.
    UnderWay,
    /// It has begun and not come to its end: seen while a call is under way, and left by a call that failed.
    Halfway,
    /// It will not come by itself.
    Stuck,
    /// Nothing of it is to be seen.
    Untouched,
    /// Nothing can be seen.
    Dark,
}

/// The phase of a join.
pub fn of_join(pool: &Result<Vec<Member>, Trouble>, uuid: &str, host: impl FnOnce() -> HostLook) -> Phase {
    let members = match pool {
        Ok(members) => members,
        Err(trouble) => {
            return phase(
                "pool-unreachable",
                Standing::Dark,
                format!("the pool does not answer: {trouble}"),
                "Look at the coordinator; the join may be done all the same.",
            );
        }
    };
    let known = match members.iter().find(|member| member.uuid == uuid) {
        Some(member) if member.enabled => {
            return phase("enabled", Standing::Arrived, "the host is a member and takes VMs".to_owned(), "");
        }
        found => found.is_some(),
    };
    let who = if known { "the pool knows the host, which" } else { "the host" };
    match (known, host()) {
        (_, HostLook::Emergency { code, params }) => emergency(&code, &params),
        (_, HostLook::Closed { why }) => phase(
            "host-closed",
            Standing::UnderWay,
            format!("{who} answers, and cannot be asked: {why}"),
            "Compare its certificate on its console; root's password may be the pool's already.",
        ),
        (_, HostLook::Silent { why }) => phase(
            "host-restarting",
            Standing::UnderWay,
            format!("{who} does not answer, as while its toolstack restarts ({why})"),
            "Look at its console: is it up, and does its management interface have its address? /var/log/xensource.log there tells the rest.",
        ),
        (true, HostLook::Alone { .. }) => phase(
            "recorded-alone",
            Standing::Halfway,
            "the pool has a record of the host, and the host still stands alone".to_owned(),
            format!(
                "If it stays so, the join broke off half-way: see /var/log/xensource.log on both. To begin anew, remove the record on the coordinator: `xe host-forget uuid={}`.",
                shell_word(uuid)
            ),
        ),
        (true, HostLook::Member { .. }) => phase(
            "known-not-enabled",
            Standing::UnderWay,
            "the pool knows the host, which does not take VMs yet: its toolstack is starting".to_owned(),
            "On the host: `xe host-list params=enabled,current-operations`, /var/log/xensource.log. If storage hangs: `xe pbd-list host-uuid=… currently-attached=false`. Then `xe host-enable`.",
        ),
        (false, HostLook::Alone { busy: false }) => phase(
            "alone",
            Standing::Untouched,
            "the host still stands alone, and the pool does not know it".to_owned(),
            "If it stays so, the join did not take effect. Look into /var/log/xensource.log on the host for pool.join.",
        ),
        (false, HostLook::Alone { busy: true }) => phase(
            "alone-busy",
            Standing::UnderWay,
            "the host still stands alone, and something is in progress on it".to_owned(),
            "On the host: `xe task-list`.",
        ),
        (false, HostLook::Member { coordinator }) => phase(
            "member-unknown",
            Standing::UnderWay,
            format!("the host says that it is a member of the pool at {coordinator}, and the pool does not know it"),
            "Is that this pool? If not, the join led to another one, and root's password with it: it has to be ejected there, which erases its local disks. If it is and stays so, its record was not made on the pool: see /var/log/xensource.log on both for host.create. The host comes back by itself as soon as the record is there; else reset its network and pool state at its console (`xe pool-emergency-transition-to-master`), which needs care.",
        ),
    }
}

/// What a host in emergency mode says.
fn emergency(code: &str, params: &[String]) -> Phase {
    let about = |text: &str| format!("{text} ({code} [{}])", params.join(", "));
    match code {
        "HOST_STILL_BOOTING" => phase(
            "booting",
            Standing::UnderWay,
            about("the host's toolstack is starting"),
            "Look at its console and /var/log/xensource.log.",
        ),
        "HOST_MASTER_CANNOT_TALK_BACK" => phase(
            "no-way-back",
            Standing::UnderWay,
            about("the coordinator cannot reach the host at its address; the host tries again every few seconds"),
            "Open port 443 from the coordinator to the host: firewall, VLAN, netmask, address translation. From the coordinator: `openssl s_client -connect HOST:443`. The host comes up by itself when the way is open.",
        ),
        "HOST_UNKNOWN_TO_MASTER" => phase(
            "unknown-to-coordinator",
            Standing::Stuck,
            about("the pool has no record of the host, and will get none: making it failed during the join"),
            "See /var/log/xensource.log on both for host.create: a licence for more hosts is the usual reason. To free the host: at its console `xe pool-emergency-transition-to-master`, then `xe-toolstack-restart`; its storage and VMs are as before.",
        ),
        "HOST_XAPI_VERSION_HIGHER_THAN_COORDINATOR" => phase(
            "newer-than-coordinator",
            Standing::Stuck,
            about("the host's toolstack is newer than the coordinator's"),
            "Update the coordinator to the host's level, then restart the host's toolstack; it comes up by itself.",
        ),
        _ => phase(
            "emergency",
            Standing::UnderWay,
            about("the host's toolstack answers with an error"),
            "Look into /var/log/xensource.log on the host.",
        ),
    }
}

/// The phase of an eject. While the server is at it, its pool record says so, and storage that hangs keeps it there for long.
pub fn of_eject(pool: &Result<Vec<Member>, Trouble>, uuid: &str, is_busy: impl FnOnce() -> bool) -> Phase {
    match pool {
        Err(trouble) => phase(
            "pool-unreachable",
            Standing::Dark,
            format!("the pool does not answer: {trouble}"),
            "Look at the coordinator; the eject may be done all the same.",
        ),
        Ok(members) if members.iter().any(|member| member.uuid == uuid) && is_busy() => phase(
            "still-member-busy",
            Standing::UnderWay,
            "the pool still knows the host, and something is in progress on the pool".to_owned(),
            "On the coordinator: `xe task-list`, `xe pool-list params=current-operations`. If storage hangs as it is unplugged: `xe pbd-list host-uuid=… params=uuid,sr-uuid,currently-attached`, /var/log/SMlog on the host. Do not leave an eject half-way.",
        ),
        Ok(members) if members.iter().any(|member| member.uuid == uuid) => phase(
            "still-member",
            Standing::Untouched,
            "the pool still knows the host".to_owned(),
            "On the coordinator: `xe task-list`, `xe host-list`. Past its first steps an eject has unplugged the host's storage: do not leave it half-way; look into /var/log/xensource.log on the host.",
        ),
        Ok(_) => phase("gone", Standing::Arrived, "the pool does not know the host any more".to_owned(), ""),
    }
}

/// What an ejected host shows of its return, and whether it is back.
pub fn of_return(host: &HostLook) -> (bool, String) {
    match host {
        HostLook::Alone { .. } => (true, "the host is back and stands alone".to_owned()),
        HostLook::Closed { why } => (true, format!("the host answers again, and cannot be asked: {why}")),
        HostLook::Member { coordinator } => {
            (false, format!("the host has not restarted yet: it still names {coordinator} as its coordinator"))
        }
        HostLook::Emergency { code, .. } => (false, format!("the host's toolstack is starting ({code})")),
        HostLook::Silent { why } => (false, format!("the host does not answer yet ({why})")),
    }
}

fn phase(word: &'static str, standing: Standing, about: String, advice: impl Into<String>) -> Phase {
    Phase { word, about, advice: advice.into(), standing }
}
