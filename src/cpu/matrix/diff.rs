//! Several CPUs, and the features in which they differ.

use serde::Serialize;

use super::text::{cut, plain};
use super::{Labelled, SetKind};
use crate::cpu::names;
use crate::facts::Featureset;
use crate::text::{columns, padded};

/// Hosts × differing features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// Which of the CPUs' sets were compared.
    pub set: SetKind,
    /// The hosts, in the order of the columns.
    pub hosts: Vec<Column>,
    /// The features that some have and others lack.
    pub rows: Vec<Row>,
    /// How many features all have.
    pub common: usize,
}

/// A host as a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What it is called.
    pub name: String,
    /// The vendor string.
    pub vendor: Option<String>,
    /// The brand text.
    pub brand: Option<String>,
    /// The set as the server writes it; null when this host does not show it.
    pub value: Option<String>,
    /// Why it does not.
    pub unknown: Option<String>,
}

/// A feature and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The feature's name.
    pub feature: String,
    /// Its group.
    pub group: &'static str,
    /// For each host whether it has it; null when not known.
    pub has: Vec<Option<bool>>,
}

/// Compares the set that most of the CPUs show, made comparable for people.
pub fn diff(hosts: &[Labelled<'_>]) -> Diff {
    diff_of(hosts, SetKind::common(hosts))
}

/// Compares this set.
pub fn diff_of(hosts: &[Labelled<'_>], set: SetKind) -> Diff {
    let sets: Vec<_> = hosts.iter().map(|host| set.of(host.cpu)).collect();
    let comparable: Vec<_> = sets
        .iter()
        .zip(hosts)
        .map(|(set, host)| set.get().map(|set| names::comparable(set, host.cpu.vendor.text())))
        .collect();
    let known = || comparable.iter().flatten();
    let any = known().fold(Featureset::default(), |all, set| all.union(set));
    let has = |feature: usize, host: usize| {
        let unread = hosts[host].cannot_tell(set, feature);
        comparable[host].as_ref().filter(|_| !unread).map(|set| set.has(feature))
    };
    let (mut rows, mut common) = (Vec::new(), 0);
    for feature in any.features() {
        let has: Vec<_> = (0..hosts.len()).map(|host| has(feature, host)).collect();
        if has.contains(&Some(false)) && has.contains(&Some(true)) {
            rows.push(Row { feature: names::name(feature), group: names::group(feature), has });
        } else {
            common += 1;
        }
    }
    let columns = hosts.iter().zip(&sets).map(|(Labelled { name, cpu, .. }, set)| Column {
        name: name.clone(),
        vendor: cpu.vendor.text().map(plain),
        brand: cpu.model_name.text().map(plain),
        value: set.get().map(ToString::to_string),
        unknown: set.unknown().map(ToString::to_string),
    });
    Diff { set, hosts: columns.collect(), rows, common }
}

impl Diff {
    /// Whether no feature differs among the hosts whose sets are known.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether a host shows no such set, so that it was not compared.
    pub fn has_gaps(&self) -> bool {
        self.hosts.iter().any(|host| host.unknown.is_some())
    }

    /// For a terminal of this many columns: a legend, then features as rows by group and hosts as numbered columns;
    /// in several blocks where the hosts do not fit.
    pub fn to_table(&self, width: usize) -> String {
        let mut out = format!("{}: {}\n\n", self.set.key(), self.set.title());
        let longest = self.hosts.iter().map(|host| columns(&plain(&host.name))).max().unwrap_or_default().min(30);
        for (index, host) in self.hosts.iter().enumerate() {
            let what =
                host.unknown.as_deref().or(host.brand.as_deref()).or(host.vendor.as_deref()).unwrap_or_default();
            let line = format!("{:>4}  {}  {what}", index + 1, padded(&cut(&plain(&host.name), 30), longest));
            out.push_str(line_end(&cut(&line, width)).as_str());
        }
        out.push('\n');
        if self.rows.is_empty() {
            let among = if self.has_gaps() {
                " among the hosts that show this set; the others were not compared"
            } else {
                ""
            };
            out.push_str(&format!("No feature differs{among}; {} in common.\n", self.common));
            return out;
        }
        let cell = self.hosts.len().to_string().len() + 1;
        let name = self.rows.iter().map(|row| columns(row.feature.as_ref())).max().unwrap_or_default() + 2;
        let fit = (width.saturating_sub(name) / cell).max(1);
        for start in (0..self.hosts.len()).step_by(fit) {
            let block = start..(start + fit).min(self.hosts.len());
            let numbers: String = block.clone().map(|host| format!("{:>cell$}", host + 1)).collect();
            out.push_str(&line_end(&format!("{:name$}{numbers}", "")));
            let mut groups: Vec<&str> = Vec::new();
            for row in &self.rows {
                if !groups.contains(&row.group) {
                    groups.push(row.group);
                }
            }
            for group in groups {
                out.push_str(&line_end(group));
                for row in self.rows.iter().filter(|row| row.group == group) {
                    let cells: String = block.clone().map(|host| format!("{:>cell$}", sign(row.has[host]))).collect();
                    out.push_str(&line_end(&format!("  {:<rest$}{cells}", row.feature, rest = name - 2)));
                }
            }
            out.push('\n');
        }
        out.push_str(&format!(
            "x has it, - lacks it, ? not known; {} differ, {} in common.\n",
            self.rows.len(),
            self.common
        ));
        out
    }
}

fn sign(has: Option<bool>) -> char {
    match has {
        Some(true) => 'x',
        Some(false) => '-',
        None => '?',
    }
}

fn line_end(line: &str) -> String {
    format!("{}\n", line.trim_end())
}
