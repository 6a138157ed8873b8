//! The clock, the zone, and who keeps the clock right.

use std::time::SystemTime;

use super::kernel::{Kernel, clean};
use crate::facts::{Known, Reason};
use crate::snapshot::Clock;

const TIMESYNC: &str = "/run/systemd/timesync";
/// Daemons that keep the clock and tell only their own clients whether they do: what to look for, what to ask.
const DAEMONS: [(&str, &str); 3] = [
    ("/run/chrony/chronyd.pid", "chronyc tracking"),
    ("/run/chronyd.pid", "chronyc tracking"),
    ("/run/ntpd.pid", "ntpq -p"),
];
/// Where time servers are set, and the words that set them.
const CONFIGURATIONS: [(&str, &[&str]); 4] = [
    ("/etc/chrony.conf", &["server", "pool"]),
    ("/etc/chrony/chrony.conf", &["server", "pool"]),
    ("/etc/ntp.conf", &["server", "pool"]),
    ("/etc/systemd/timesyncd.conf", &["NTP"]),
];

pub(super) fn clock(kernel: &Kernel, now: SystemTime) -> Clock {
    Clock {
        synchronised: synchronised(kernel),
        now: timestamp(now).into(),
        offset_ms: Known::Yes(0),
        ntp_mode: Known::no(Reason::NotCollected, "no toolstack was asked"),
        ntp_servers: ntp_servers(kernel),
        timezone: timezone(kernel),
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`.
pub(in crate::collect) fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Only systemd-timesyncd leaves its answer where it can be read without asking.
fn synchronised(kernel: &Kernel) -> Known<bool> {
    if kernel.exists(&format!("{TIMESYNC}/synchronized")) {
        return Known::Yes(true);
    }
    if kernel.exists(TIMESYNC) {
        return Known::Yes(false);
    }
    let why = DAEMONS.iter().find(|(pid, _)| kernel.exists(pid)).map_or_else(
        || format!("no time daemon was found (looked for {TIMESYNC}, chronyd and ntpd)"),
        |(pid, ask)| format!("{pid} is there, and only `{ask}` tells whether the clock is kept right"),
    );
    Known::no(Reason::NotCollected, why)
}

fn ntp_servers(kernel: &Kernel) -> Known<Vec<String>> {
    for (path, words) in CONFIGURATIONS {
        let Known::Yes(bytes) = kernel.bytes(path) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let servers: Vec<_> = text.lines().flat_map(|line| servers(line, words)).collect();
        if !servers.is_empty() {
            return Known::Yes(servers);
        }
    }
    let looked: Vec<_> = CONFIGURATIONS.iter().map(|(path, _)| *path).collect();
    Known::no(Reason::NotCollected, format!("no time server is named in {}", looked.join(", ")))
}

/// `server ADDRESS OPTIONS…`, or `NTP=ADDRESS ADDRESS…`.
fn servers(line: &str, words: &[&str]) -> Vec<String> {
    let line = line.trim();
    if let Some((name, list)) = line.split_once('=')
        && words.contains(&name.trim())
    {
        return list.split_whitespace().map(clean).collect();
    }
    let mut parts = line.split_whitespace();
    match (parts.next(), parts.next()) {
        (Some(word), Some(address)) if words.contains(&word) => vec![clean(address)],
        _ => Vec::new(),
    }
}

fn timezone(kernel: &Kernel) -> Known<String> {
    let link = std::fs::read_link(kernel.path("/etc/localtime")).ok();
    let zone = link.as_deref().and_then(|target| target.to_str()).and_then(|target| target.split_once("zoneinfo/"));
    zone.map_or_else(|| kernel.text("/etc/timezone"), |(_, zone)| Known::Yes(clean(zone)))
}
