//! What a mutation is: a named change of one fact, with the rules that must say something of it, and what the server
//! must answer. A rule behind a check that the release does not have says nothing; the table of checks tells which.

use poolgate::rules::{CHECKS, Registry, at_least};

use crate::edit::{Changed, Pair};

/// A change with what must follow.
pub struct Mutation {
    pub name: &'static str,
    change: fn(&mut Pair) -> Changed,
    expected: Vec<Expected>,
}

/// The parameters of a refusal, from the changed pair.
type Params = fn(&Pair) -> Vec<String>;

/// A rule that must say something.
struct Expected {
    rule: &'static str,
    /// The versions of xapi in which it must, half-open; "" is open.
    versions: (&'static str, &'static str),
    when: fn(&Pair) -> bool,
    refusal: Option<(&'static str, Params)>,
    /// Whether what it says is that it cannot tell.
    undecided: bool,
}

/// What must follow from a change of one pair.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Follows {
    pub fails: Vec<&'static str>,
    pub unknown: Vec<&'static str>,
    /// The checks that refuse, in the server's order: name, code, parameters.
    pub failing: Vec<(&'static str, &'static str, Vec<String>)>,
}

/// A change of which no rule has anything to say until the mutation says so.
pub fn change(name: &'static str, change: fn(&mut Pair) -> Changed) -> Mutation {
    Mutation { name, change, expected: Vec::new() }
}

impl Mutation {
    /// A rule fails, and the server says nothing.
    pub fn fails(self, rule: &'static str) -> Self {
        self.fails_in(rule, "", "")
    }

    /// A rule fails in these versions of xapi.
    pub fn fails_in(self, rule: &'static str, from: &'static str, until: &'static str) -> Self {
        self.expect(Expected { versions: (from, until), ..expected(rule) })
    }

    /// A rule fails where the pair is of a kind.
    pub fn fails_if(self, rule: &'static str, when: fn(&Pair) -> bool) -> Self {
        self.expect(Expected { when, ..expected(rule) })
    }

    /// A rule fails and the server refuses.
    pub fn refused(self, rule: &'static str, code: &'static str) -> Self {
        self.refused_with(rule, code, |_| Vec::new())
    }

    /// A rule fails and the server refuses with parameters.
    pub fn refused_with(self, rule: &'static str, code: &'static str, params: fn(&Pair) -> Vec<String>) -> Self {
        self.expect(Expected { refusal: Some((code, params)), ..expected(rule) })
    }

    /// A rule fails and the server refuses, where the pair is of a kind.
    pub fn refused_if(
        self,
        rule: &'static str,
        when: fn(&Pair) -> bool,
        code: &'static str,
        params: fn(&Pair) -> Vec<String>,
    ) -> Self {
        self.expect(Expected { refusal: Some((code, params)), when, ..expected(rule) })
    }

    /// A rule can no longer tell.
    pub fn undecided(self, rule: &'static str) -> Self {
        self.expect(Expected { undecided: true, ..expected(rule) })
    }

    fn expect(mut self, expected: Expected) -> Self {
        self.expected.push(expected);
        self
    }

    /// Changes the pair. None where there is nothing to change.
    pub fn apply(&self, pair: &Pair) -> Option<Pair> {
        let mut changed = pair.clone();
        (self.change)(&mut changed)?;
        let same = changed.pool == pair.pool && changed.joiner == pair.joiner && changed.max_hosts == pair.max_hosts;
        (!same).then_some(changed)
    }

    /// The rules that it names.
    pub fn rules(&self) -> impl Iterator<Item = &'static str> {
        self.expected.iter().map(|expected| expected.rule)
    }

    /// What must follow for a changed pair.
    pub fn follows(&self, changed: &Pair, rules: &Registry) -> Follows {
        let mut follows = Follows::default();
        for expected in &self.expected {
            let (from, until) = expected.versions;
            let in_version = at_least(&changed.xapi, from) && (until.is_empty() || !at_least(&changed.xapi, until));
            let server = rules.get(expected.rule).and_then(|rule| rule.server.as_ref());
            let exists = server.is_none_or(|server| server.check.exists_in(&changed.xapi));
            if !in_version || !exists || !(expected.when)(changed) {
                continue;
            }
            if expected.undecided {
                follows.unknown.push(expected.rule);
                continue;
            }
            follows.fails.push(expected.rule);
            if let (Some(server), Some((code, params))) = (server, expected.refusal) {
                follows.failing.push((server.check.name, code, params(changed)));
            }
        }
        sort(&mut follows.failing);
        follows
    }
}

const fn expected(rule: &'static str) -> Expected {
    Expected { rule, versions: ("", ""), when: |_| true, refusal: None, undecided: false }
}

/// Puts refusals into the server's order.
pub fn sort<T, U>(failing: &mut [(&'static str, T, U)]) {
    failing.sort_by_key(|(name, ..)| CHECKS.iter().position(|check| check.name == *name));
}
