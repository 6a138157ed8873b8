//! `poolgate lab`: serves what the operator named until it is stopped.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use super::Exit;
use super::args::Lab as Args;
use super::error::CliError;
use super::output::{complain, print};
use crate::collect::xapi::ending_signals;
use crate::lab::{Endpoint, Fault, Lab, LabConfig, Served};

pub(super) fn run(args: &Args) -> Result<Exit, CliError> {
    if args.demo {
        return super::demo::run();
    }
    let stopped = |source: std::io::Error| CliError::Usage(format!("cannot wait for a signal: {source}"));
    // Watched from here on, so that a lab that is stopped as it starts ends in order too.
    let mut ending = ending_signals();
    // A script's shell has what it starts in the background ignore SIGINT, and stops its lab with it all the same.
    ending.extend([SIGINT, SIGTERM]);
    let mut signals = Signals::new(ending).map_err(stopped)?;
    let password = password(args)?;
    let mut config = LabConfig::new(&password).speed(args.speed);
    if let Some(port) = args.port {
        config = config.port(port);
    }
    for path in args.pool.iter().chain(&args.host) {
        config = config.serve(Served::file(path)?);
    }
    for fault in &args.fault {
        config = config.fault(fault.clone());
    }
    let lab = Lab::start(config)?;
    known_endpoints(args, &lab.endpoints())?;
    print(&announcement(&lab.endpoints(), args, &password))?;
    let _ = signals.forever().next();
    if std::io::stderr().is_terminal() {
        complain("poolgate: the lab is closed");
    }
    Ok(Exit::Done)
}

/// A fault at a host that nobody serves never happens, and a rehearsal of it tests nothing.
fn known_endpoints(args: &Args, endpoints: &[Endpoint]) -> Result<(), CliError> {
    let nowhere = |fault: &&Fault| !endpoints.iter().any(|endpoint| fault.is_at(&endpoint.name));
    args.fault.iter().find(nowhere).map_or(Ok(()), |fault| {
        let name = fault.endpoint.as_deref().unwrap_or_default();
        let names: Vec<_> = endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        Err(CliError::Usage(format!("--fault …,endpoint={name}: no such host; the lab serves {}", names.join(", "))))
    })
}

/// What the variable holds, or a made-up one.
fn password(args: &Args) -> Result<Zeroizing<String>, CliError> {
    let Some(variable) = &args.password_env else { return Ok(Zeroizing::new(Lab::made_up_password())) };
    match std::env::var(variable) {
        Ok(password) if !password.is_empty() => Ok(Zeroizing::new(password)),
        _ => Err(CliError::Usage(format!(
            "--password-env: {}; put root's password into it",
            super::passwords::unset(variable)
        ))),
    }
}

/// All that is needed to reach the hosts, and what to type next.
fn announcement(endpoints: &[Endpoint], args: &Args, password: &str) -> String {
    let mut text = String::new();
    for endpoint in endpoints {
        let size = endpoints.iter().filter(|other| other.coordinator == endpoint.coordinator).count();
        let role = match endpoint.coordinator == endpoint.name {
            true if size == 1 => "standalone".to_owned(),
            true => "coordinator".to_owned(),
            false => format!("member of the pool of {}", endpoint.coordinator),
        };
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{}  {}\n    {}, {role}\n    SHA-256 {}",
            endpoint.url(),
            endpoint.name,
            endpoint.release,
            endpoint.fingerprint
        );
    }
    let user = match &args.password_env {
        Some(variable) => format!("root, with the password that is in {variable}"),
        None => format!("root, with the password {password}"),
    };
    let _ = writeln!(text, "\nThe user is {user}. Stop the lab with Ctrl-C.");
    let alone: Vec<_> = endpoints
        .iter()
        .filter(|one| endpoints.iter().filter(|other| other.coordinator == one.coordinator).count() == 1)
        .collect();
    let leads = |one: &&Endpoint| one.coordinator == one.name;
    let pool = endpoints.iter().filter(leads).find(|one| !alone.contains(one)).or_else(|| endpoints.first());
    if let (Some(pool), Some(host)) = (pool, alone.iter().find(|host| pool.is_none_or(|pool| pool.name != host.name)))
    {
        let _ = writeln!(
            text,
            "Next, in another terminal:\n\n    poolgate check --pool {} --host {}",
            pool.url(),
            host.url()
        );
    }
    text
}
