//! The operator agrees: by typing each host's name, or by a plan that was reviewed before.

use std::io::{self, IsTerminal as _};

use super::GateArgs;
use crate::cli::error::CliError;
use crate::cli::prompt::line;
use crate::gate::journal::Act;
use crate::gate::plan::Plan;
use crate::text::plain;

/// By what the plan is agreed to; an error when it is not.
pub(super) fn confirmed(args: &GateArgs, plan: &Plan) -> Result<&'static str, CliError> {
    if args.yes && args.plan.is_some() {
        return Ok("plan");
    }
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(
            "there is no terminal to confirm on, and nothing was done; review a plan (--plan-out FILE) and carry it out with --plan FILE --yes"
                .to_owned(),
        ));
    }
    typed(plan, line)?;
    Ok("typed")
}

/// Each host's name, typed.
fn typed(plan: &Plan, mut ask: impl FnMut(&str) -> io::Result<Option<String>>) -> Result<(), CliError> {
    for step in &plan.steps {
        let name = &step.host.name;
        let what = match plan.act {
            Act::Join => format!("join it to {}", plain(&plan.pool.name)),
            Act::Eject => format!("eject it from {} and lose what is on its local disks", plain(&plan.pool.name)),
        };
        let line = ask(&format!("Type the host's name ({}) to {what}: ", plain(name))).ok().flatten();
        // A name that a terminal cannot show is typed as it is shown.
        let given = line.as_deref().unwrap_or_default().trim();
        if given.is_empty() || given != name.trim() && given != plain(name).trim() {
            return Err(CliError::Usage(format!(
                "not confirmed: \"{}\" was not typed; nothing was done",
                plain(name)
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::plan::{FORMAT, Party};
    use crate::rules::Verdict;

    fn plan(names: &[&str]) -> Plan {
        let step = |name: &&str| crate::gate::plan::Step {
            host: Party { name: (*name).to_owned(), ..Party::default() },
            release: String::new(),
            verdict: Verdict::Go,
            findings: vec![],
            refusal: None,
            call: crate::gate::plan::Call {
                method: "pool.join".to_owned(),
                server: String::new(),
                params: [].into(),
                secret: vec![],
            },
            changes: vec![],
            risks: vec![],
            before: vec![],
            by_hand: vec![],
            undo: vec![],
            predicted: crate::gate::plan::Predicted::default(),
            outcomes: [].into(),
            facts: vec![],
        };
        Plan {
            format: FORMAT.to_owned(),
            version: "1.0".to_owned(),
            tool: String::new(),
            made_at: String::new(),
            act: Act::Join,
            verdict: Verdict::Go,
            pool: crate::gate::plan::PlannedPool::default(),
            max_hosts: 16,
            rules: String::new(),
            waivers: vec![],
            steps: names.iter().map(step).collect(),
            digest: String::new(),
        }
    }

    fn says(names: &[&str], input: &str) -> bool {
        let mut lines = input.lines().map(str::to_owned);
        typed(&plan(names), |_| Ok(lines.next())).is_ok()
    }

    #[test]
    fn only_the_very_names_agree() {
        assert!(says(&["node-03"], "node-03\n"));
        assert!(says(&["node-03", "node-04"], "node-03\nnode-04\n"));
        for (names, input) in [
            (&["node-03"][..], "y\n"),
            (&["node-03"], "yes\n"),
            (&["node-03"], "\n"),
            (&["node-03"], ""),
            (&["node-03"], "NODE-03\n"),
            (&["node-03", "node-04"], "node-03\nnode-03\n"),
            (&["node-03", "node-04"], "node-03\n"),
            (&[""], "\n"),
        ] {
            assert!(!says(names, input), "{names:?} {input:?}");
        }
        assert!(says(&["a\u{1b}b"], "a\\u{1b}b\n"));
    }
}
