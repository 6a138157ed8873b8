//! `poolgate lab --demo`: the whole story on a lab of its own, in seconds: a check that says no, what mends it, the plan,
//! the join, what an eject would cost. Every command is run as it is shown, and what is shown of its output is real.

mod stage;

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use self::stage::Stage;
use super::Exit;
use super::error::CliError;
use super::output::print;
use crate::collect::xapi::{Address, KnownHosts};
use crate::lab::db::{Db, text};
use crate::lab::{Endpoint, Lab, LabConfig, Served};

const POOL: &str = include_str!("../../fixtures/xenserver-8-1-host.json");
const HOST: &str = include_str!("../../fixtures/candidate-xs8-twin.json");
/// The joiner's VM that runs, and its library that is shared.
const VM: &str = "build-agent";
const SR: &str = "ISO library";
/// The variable that the shown commands take the password from.
const PASSWORD: &str = "LAB_PASSWORD";

pub(super) fn run() -> Result<Exit, CliError> {
    let stage = Stage::set()?;
    let password = Lab::made_up_password();
    let lab = Lab::start(
        LabConfig::new(&password).serve(served("pool", POOL, |_| {})?).serve(served("host", HOST, trouble)?),
    )?;
    let (pool, host) = match lab.endpoints().as_slice() {
        [pool, host] => (pool.clone(), host.clone()),
        _ => return Err(CliError::Usage("the demonstration needs one pool and one host".to_owned())),
    };
    trust(stage.folder(), [&pool, &host])?;
    let shell = Shell { stage: &stage, password: &password };
    Story { shell, lab: &lab, pool: &pool, host: &host }.tell()
}

fn served(name: &str, text: &str, change: impl FnOnce(&mut Json)) -> Result<Served, CliError> {
    let wrong = |error: serde_json::Error| CliError::Usage(format!("the demonstration's {name}: {error}"));
    let mut json: Json = serde_json::from_str(text).map_err(wrong)?;
    change(&mut json);
    Ok(Served::text(name, json.to_string().as_bytes())?)
}

/// What a host has that was in use on its own.
fn trouble(json: &mut Json) {
    let pool = &mut json["pool"];
    let host = pool["hosts"][0]["reference"].clone();
    pool["tls_verification_enabled"] = false.into();
    if let Some(vms) = pool["vms"].as_array_mut()
        && let Some(mut vm) = vms.first().cloned()
    {
        for (key, value) in [
            ("reference", json!("OpaqueRef:demo-vm")),
            ("uuid", json!("d0000000-0000-4000-8000-000000000001")),
            ("name_label", json!(VM)),
            ("power_state", json!("Running")),
            ("is_a_template", json!(false)),
            ("is_default_template", json!(false)),
            ("resident_on", host.clone()),
            ("domid", json!(1)),
        ] {
            vm[key] = value;
        }
        vms.push(vm);
    }
    if let Some(srs) = pool["srs"].as_array_mut() {
        srs.push(json!({
            "reference": "OpaqueRef:demo-sr", "uuid": "d0000000-0000-4000-8000-000000000002", "name_label": SR,
            "kind": "iso", "content_type": "iso", "shared": true, "is_tools_sr": false, "clustered": false,
            "physical_size": 0, "sm_config": {}, "other_config": {}, "current_operations": {},
        }));
    }
    if let Some(pbds) = pool["pbds"].as_array_mut() {
        pbds.push(json!({
            "reference": "OpaqueRef:demo-pbd", "uuid": "d0000000-0000-4000-8000-000000000003", "host": host,
            "sr": "OpaqueRef:demo-sr", "currently_attached": true, "device_config": {"location": "192.0.2.9:/iso"},
        }));
    }
}

/// What the shown commands do on the host.
fn mend(db: &mut Db) {
    let named = |db: &Db, class: &str, name: &str| {
        db.each(class)
            .find(|(_, record)| text(record, "name_label") == name)
            .map(|(reference, _)| reference.to_owned())
    };
    if let Some(vm) = named(db, "VM", VM) {
        db.set("VM", &vm, "power_state", "Halted");
        db.set("VM", &vm, "resident_on", "OpaqueRef:NULL");
        db.set("VM", &vm, "domid", -1);
    }
    if let Some(sr) = named(db, "SR", SR) {
        let pbds: Vec<_> =
            db.each("PBD").filter(|(_, pbd)| text(pbd, "SR") == sr).map(|(pbd, _)| pbd.to_owned()).collect();
        let host = db.each("host").next().map(|(host, _)| host.to_owned());
        for pbd in pbds {
            db.remove("PBD", &pbd);
            if let Some(host) = &host {
                db.change("host", host, |record| {
                    if let Some(Json::Array(pbds)) = record.get_mut("PBDs") {
                        pbds.retain(|other| *other != pbd.as_str());
                    }
                });
            }
        }
        db.remove("SR", &sr);
    }
    db.set_pool("tls_verification_enabled", true);
}

/// The operator has compared the certificates before.
fn trust(folder: &Path, endpoints: [&Endpoint; 2]) -> Result<(), CliError> {
    let mut known = KnownHosts::read(folder.join("known_hosts"))?;
    for endpoint in endpoints {
        let wrong = |what: String| CliError::Usage(format!("the demonstration's certificates: {what}"));
        let address: Address = format!("{}:{}", endpoint.address, endpoint.port)
            .parse()
            .map_err(|error: crate::collect::xapi::AddressError| wrong(error.to_string()))?;
        let print = endpoint
            .fingerprint
            .parse()
            .map_err(|error: crate::collect::xapi::FingerprintError| wrong(error.to_string()))?;
        known.add(&address, print)?;
    }
    Ok(())
}

/// Runs commands as they are shown.
struct Shell<'a> {
    stage: &'a Stage,
    password: &'a str,
}

/// What a command printed.
struct Ran {
    stdout: String,
    stderr: String,
}

impl Shell<'_> {
    /// Shows a command, runs it, and demands its exit status.
    fn run(&self, words: &[&str], status: i32) -> Result<Ran, CliError> {
        print(&format!("\n$ poolgate {}\n", words.join(" ")))?;
        let wrong =
            |error: std::io::Error| CliError::Usage(format!("cannot run the demonstration's commands: {error}"));
        let program = std::env::current_exe().map_err(wrong)?;
        let folder = self.stage.folder();
        let mut command = Command::new(program);
        command
            .args(words)
            .args(["--password-env", PASSWORD, "--known-hosts"])
            .arg(folder.join("known_hosts"))
            .env(PASSWORD, self.password)
            .env("XDG_STATE_HOME", folder)
            .env("NO_COLOR", "1")
            .current_dir(folder);
        let output = self.stage.output(command).map_err(wrong)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ran = Ran { stdout: text(&output.stdout), stderr: text(&output.stderr) };
        if output.status.code() != Some(status) {
            print(&format!("{}{}", ran.stdout, ran.stderr))?;
            return Err(CliError::Usage(format!("the demonstration broke off: {} and not {status}", output.status)));
        }
        Ok(ran)
    }
}

struct Story<'a> {
    shell: Shell<'a>,
    lab: &'a Lab,
    pool: &'a Endpoint,
    host: &'a Endpoint,
}

impl Story<'_> {
    fn tell(&self) -> Result<Exit, CliError> {
        let (pool, host) = (self.pool.url(), self.host.url());
        let targets = ["--pool", &pool, "--host", &host];
        print(&format!(
            "A pool and a host, simulated on loopback: {} is to join the\npool of {}. Their certificates are known, and ${PASSWORD} holds\nroot's password.\n",
            self.host.name, self.pool.name
        ))?;

        let no = self.shell.run(&[&["check"], &targets[..]].concat(), 1)?;
        print(&before(&no.stdout, "CPU level"))?;
        say("What mends it, from the end of that report, typed on the host:")?;
        let steps = no.stdout.lines().filter_map(|line| line.trim().strip_prefix("mend on the joiner: "));
        for command in steps.filter(|step| step.contains("xe ")) {
            print(&format!("  # {command}\n"))?;
        }
        self.lab.with_db(&self.host.name, mend)?;

        let go = self.shell.run(&[&["check"], &targets[..]].concat(), 0)?;
        print(&before(&go.stdout, "Network\n"))?;

        say("The plan, for somebody else to review:")?;
        self.shell.run(&[&["join"], &targets[..], &["--plan-out", "plan.json"]].concat(), 0)?;

        say("And the join, once it is reviewed:")?;
        let joined = self.shell.run(&[&["join"], &targets[..], &["--plan", "plan.json", "--yes"]].concat(), 0)?;
        print(&before(&joined.stdout, "What it changes"))?;
        print(&joined.stderr)?;
        print(&from(&joined.stdout, "\nDONE  "))?;

        say("What it would cost to let it go again:")?;
        let eject = ["check", "--phase", "eject", "--pool", &pool, "--member", &self.host.name];
        let ejected = self.shell.run(&eject, 0)?;
        print(&before(&ejected.stdout, "What stays"))?;
        say("`poolgate lab --pool FILE --host FILE` serves pools and hosts of your own.")?;
        Ok(Exit::Done)
    }
}

fn say(text: &str) -> Result<(), CliError> {
    print(&format!("\n{text}\n"))
}

/// The output up to a heading, and a sign that there is more.
fn before(text: &str, heading: &str) -> String {
    match text.find(&format!("\n{heading}")) {
        Some(at) => format!("{}\n…\n", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// The output from a line on, without the journal's own place.
fn from(text: &str, line: &str) -> String {
    let rest = text.find(line).map_or(text, |at| &text[at + 1..]);
    before(rest, "journal ").replace("\n…\n", "\n")
}
