//! The report on a fleet as JUnit XML: a case for each rule over all joiners, and one for each of the worst joiners.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{comes_again, gaps, matter, read_line, verdict_words};
use crate::fleet::{FleetReport, JoinerRow, RuleCount};
use crate::rules::{Severity, Verdict};
use crate::text::plain;

/// The report as XML. Blockers fail, undecided ones are errors, what does not stop a join is skipped with its counts. Where
/// warnings stop it too (`warnings_fail`), they are as blockers are.
pub fn fleet_to_junit(report: &FleetReport, warnings_fail: bool) -> String {
    let mut junit = Junit::new(format!("poolgate: {}", verdict_words(report.verdict)));
    let mut suite = TestSuite::new("rules");
    suite.add_property(("fleet", plain(&read_line(report)).as_ref()));
    for gap in gaps(report) {
        suite.add_property(("note", plain(&gap).as_ref()));
    }
    suite.add_property(("joiners", report.joiners.total().to_string().as_str()));
    suite.add_test_cases(report.rules.iter().map(|rule| rule_case(rule, warnings_fail)));
    if report.rules.is_empty() && report.joiners.total() > 0 {
        suite.add_test_case(case("every rule", "rules", TestCaseStatus::success()));
    }
    junit.add_test_suite(suite);
    if !report.worst_joiners.is_empty() {
        let mut suite = TestSuite::new("worst joiners");
        suite.add_test_cases(report.worst_joiners.iter().map(|row| joiner_case(row, warnings_fail)));
        junit.add_test_suite(suite);
    }
    if !report.returned.is_empty() {
        let mut suite = TestSuite::new("pools that come again");
        for again in &report.returned {
            let status = failed(NonSuccessKind::Error, "UNDECIDED", &comes_again(again), "");
            suite.add_test_case(case(&format!("line {}", again.line), "pools that come again", status));
        }
        junit.add_test_suite(suite);
    }
    if report.read.unreadable > 0 {
        let mut suite = TestSuite::new("unreadable lines");
        for line in &report.unreadable {
            let status = failed(NonSuccessKind::Error, "unreadable", &plain(&line.message), "");
            suite.add_test_case(case(&format!("line {}", line.line), "unreadable lines", status));
        }
        junit.add_test_suite(suite);
    }
    // Writing to memory does not fail, and quick-junit leaves out what XML cannot hold.
    junit.to_string().unwrap_or_default()
}

fn rule_case(rule: &RuleCount, warnings_fail: bool) -> TestCase {
    let message = format!("failed on {}, undecided on {}, in {} pools", rule.failed, rule.undecided, rule.pools);
    let stops = rule.severity == Severity::Blocker || warnings_fail && rule.severity == Severity::Warning;
    let status = match (stops, rule.failed) {
        (true, 1..) => failed(NonSuccessKind::Failure, rule.severity.word(), &message, ""),
        (true, 0) => failed(NonSuccessKind::Error, "undecided", &message, ""),
        (false, _) => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(rule.severity.word()).set_message(message.as_str());
            status
        }
    };
    case(&rule.rule, "rules", status)
}

fn joiner_case(row: &JoinerRow, warnings_fail: bool) -> TestCase {
    let name = if row.name.is_empty() { &row.uuid } else { &row.name };
    let name = format!("line {}: {} → {}", row.line, plain(name), plain(&row.pool));
    let lines: Vec<_> = row.failed.iter().map(|rule| format!("{}: {}", rule.rule, plain(&rule.message))).collect();
    let status = match row.verdict {
        Verdict::NoGo => failed(NonSuccessKind::Failure, "NO-GO", &matter(row), &lines.join("\n")),
        Verdict::Undecided => failed(NonSuccessKind::Error, "UNDECIDED", &matter(row), &lines.join("\n")),
        Verdict::GoWithWarnings if warnings_fail => {
            failed(NonSuccessKind::Failure, row.verdict.words(), &matter(row), &lines.join("\n"))
        }
        Verdict::GoWithWarnings | Verdict::Go => {
            let mut status = TestCaseStatus::skipped();
            status.set_type(row.verdict.words()).set_message(matter(row)).set_description(lines.join("\n"));
            status
        }
    };
    case(&name, "worst joiners", status)
}

fn failed(kind: NonSuccessKind, word: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(word).set_message(message);
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}

fn case(name: &str, class: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class).set_time(Duration::ZERO);
    case
}
