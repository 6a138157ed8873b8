//! The report as JUnit XML: a suite for each host, a case for each rule.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::parts::{Part, PartKind, lines, mark};
use crate::rules::{Finding, Outcome, Severity};
use crate::text::plain;

/// The report as XML. Every rule is a case, also those that passed: a rule that is gone would otherwise look like one
/// that passes. Blockers fail, undecided ones are errors; what does not stop the join is skipped with its message, so
/// that it is seen and does not count as a failure. Where warnings stop it too (`warnings_fail`), they are as blockers are.
pub fn to_junit(report: &Report, warnings_fail: bool) -> String {
    let mut junit = Junit::new(format!("poolgate: {}", report.verdict.words()));
    for part in report.parts() {
        junit.add_test_suite(suite(&part, warnings_fail));
    }
    // Writing to memory does not fail, and quick-junit leaves out what XML cannot hold.
    junit.to_string().unwrap_or_default()
}

fn suite(part: &Part<'_>, warnings_fail: bool) -> TestSuite {
    let name = plain(part.name);
    let mut suite = TestSuite::new(name.as_ref());
    suite.add_property(("verdict", part.verdict.words()));
    suite.add_property(("source", plain(part.source).as_ref()));
    if let Some(answer) = part.answer() {
        suite.add_property(("server", plain(&answer).as_ref()));
    }
    for (index, finding) in part.findings.iter().enumerate() {
        // Two waivers of one kind are two cases.
        let id = match part.kind {
            PartKind::Run => format!("{} {}", finding.rule, index + 1),
            PartKind::Joiner | PartKind::Member => finding.rule.clone(),
        };
        let mut case = TestCase::new(id, status(part.kind, finding, warnings_fail));
        case.set_classname(name.as_ref()).set_time(Duration::ZERO);
        suite.add_test_case(case);
    }
    suite
}

fn status(kind: PartKind, finding: &Finding, warnings_fail: bool) -> TestCaseStatus {
    let stops = finding.severity == Severity::Blocker || warnings_fail && finding.severity == Severity::Warning;
    let mut status = match finding.outcome {
        Outcome::Pass => return TestCaseStatus::success(),
        Outcome::Fail | Outcome::Unknown if finding.waived.is_some() || !stops => TestCaseStatus::skipped(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unknown => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::NotApplicable => TestCaseStatus::skipped(),
    };
    status.set_type(mark(finding)).set_message(plain(&finding.message).as_ref());
    if finding.outcome != Outcome::NotApplicable {
        status.set_description(lines(kind, finding).join("\n"));
    }
    status
}
