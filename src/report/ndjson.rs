//! The report as lines of JSON: the run first, a line for each host, the waivers, and the verdict last. A file without the
//! last line was cut off.

use serde::Serialize;

use super::Report;
use super::eject::{MemberV1, member_v1};
use super::json::{
    FORMAT, JoinerV1, PolicyV1, PoolV1, VERSION, WaiversV1, joiner_v1, phase, policy_v1, pool_v1, waivers_v1,
};
use crate::rules::Verdict;
use crate::text::json_text;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum LineV1<'a> {
    Run {
        format: &'static str,
        version: &'static str,
        tool: &'static str,
        phase: &'static str,
        pool: PoolV1<'a>,
        policy: PolicyV1<'a>,
    },
    Joiner {
        joiner: Box<JoinerV1<'a>>,
    },
    Member {
        member: Box<MemberV1<'a>>,
    },
    Waivers {
        waivers: WaiversV1<'a>,
    },
    Verdict {
        verdict: Verdict,
    },
}

/// The report as one JSON object a line. `all` adds the rules that passed or had no say.
pub fn to_ndjson(report: &Report, all: bool) -> String {
    let run = LineV1::Run {
        format: FORMAT,
        version: VERSION,
        tool: concat!("poolgate ", env!("CARGO_PKG_VERSION")),
        phase: phase(report),
        pool: pool_v1(report),
        policy: policy_v1(report),
    };
    let mut out = line(&run);
    for joiner in &report.joiners {
        out.push_str(&line(&LineV1::Joiner { joiner: Box::new(joiner_v1(joiner, all)) }));
    }
    if let Some(member) = &report.member {
        out.push_str(&line(&LineV1::Member { member: Box::new(member_v1(member, all)) }));
    }
    if let Some(waivers) = waivers_v1(report, all) {
        out.push_str(&line(&LineV1::Waivers { waivers }));
    }
    out.push_str(&line(&LineV1::Verdict { verdict: report.verdict }));
    out
}

fn line(line: &LineV1<'_>) -> String {
    // The mirrors hold text, numbers and lists only: nothing in them can fail to serialise.
    let mut text = json_text(&serde_json::to_string(line).unwrap_or_default()).into_owned();
    text.push('\n');
    text
}
