//! Live targets: whom to trust, how to log in, and many of them read at once within their limits.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::LiveArgs;
use super::error::CliError;
use super::output::complain;
use super::passwords::{Login, passwords};
use super::prompt::line;
use super::signals::end_in_order;
use crate::collect::xapi::{
    Address, CONSOLE, Client, Fingerprint, KnownHosts, Limits, Password, Session, TrustProblem, TrustStore,
    XapiError, read_session,
};
use crate::collect::{Collected, Target};

/// How long connecting may take, however long the target may.
const CONNECT: Duration = Duration::from_secs(10);
/// How often one target may show a certificate that is new: its own, and its coordinator's.
const ASKED: usize = 3;

/// The live targets of a run, ready to be logged in to.
pub(super) struct Live<'a> {
    args: &'a LiveArgs,
    trust: Arc<TrustStore>,
    doors: BTreeMap<String, Door>,
}

/// How one target is entered.
struct Door {
    way: Option<Address>,
    user: String,
    password: Password,
}

impl<'a> Live<'a> {
    /// Reads trust and passwords for those of the targets that are live. Asks for passwords where no option gives them.
    pub(super) fn new(args: &'a LiveArgs, targets: &[Target]) -> Result<Self, CliError> {
        // Before the first question, which an interruption ends too.
        end_in_order();
        Self::open(args, targets)
    }

    /// The same for a command that minds signals itself.
    pub(super) fn open(args: &'a LiveArgs, targets: &[Target]) -> Result<Self, CliError> {
        let mut logins: Vec<Login> = Vec::new();
        let mut doors = BTreeMap::new();
        for target in targets {
            match target {
                Target::Url { user, address } => {
                    let address = address.parse().map_err(usage)?;
                    let user = user.clone().unwrap_or_else(|| "root".to_owned());
                    let login = Login { target: target.clone(), user, address };
                    if !logins.contains(&login) {
                        logins.push(login);
                    }
                }
                // The local socket lets root in without a password.
                Target::XapiLocal => {
                    let password = Password::new(String::new().into());
                    doors.insert(target.to_string(), Door { way: None, user: String::new(), password });
                }
                Target::Local | Target::File(_) | Target::Stdin | Target::Cpu(_) => {}
            }
        }
        let trust = if logins.is_empty() { None } else { Some(trust(args)?) };
        if let Some(trust) = &trust {
            refuse_pins_beside(trust, &logins)?;
        }
        let given = passwords(args, &logins)?;
        for (login, password) in logins.into_iter().zip(given) {
            let door = Door { way: Some(login.address), user: login.user, password };
            doors.insert(login.target.to_string(), door);
        }
        let nothing = || KnownHosts::read(PathBuf::from("/dev/null")).map(TrustStore::new);
        let trust = Arc::new(match trust {
            Some(trust) => trust,
            None => nothing()?,
        });
        Ok(Self { args, trust, doors })
    }

    /// Logs in to each target once, and lets the operator confirm certificates that are new. An error names the first
    /// that is not to be entered.
    pub(super) fn meet(&self, targets: &[Target]) -> Result<(), CliError> {
        for target in targets {
            let mut asked = 0;
            loop {
                match self.enter(target, self.limits()) {
                    Ok(_) => break,
                    Err(XapiError::Trust { place, problem: TrustProblem::Unknown { found } })
                        if asked < ASKED && self.ask(&place, found)? =>
                    {
                        asked += 1;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Reads targets at once, as many as `--jobs` allows; the results in the order of the targets. Certificates that are
    /// new are shown and confirmed between two rounds, one after another.
    pub(super) fn collect(&self, targets: &[Target]) -> Vec<Result<Collected, CliError>> {
        let total = self.args.total_timeout.map(|total| Instant::now() + total);
        let mut found: Vec<Option<Result<Collected, XapiError>>> = targets.iter().map(|_| None).collect();
        let mut failed: BTreeMap<usize, CliError> = BTreeMap::new();
        for _ in 0..=ASKED {
            let open: Vec<_> = (0..targets.len()).filter(|at| found[*at].is_none()).collect();
            self.round(targets, &open, total, &mut found);
            for at in open {
                if let Some(Err(XapiError::Trust { place, problem: TrustProblem::Unknown { found: shown } })) =
                    &found[at]
                {
                    match self.ask(place, *shown) {
                        Ok(true) => found[at] = None,
                        Ok(false) => {}
                        Err(error) => {
                            failed.insert(at, error);
                        }
                    }
                }
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        let results = found.into_iter().enumerate().map(|(at, result)| match (failed.remove(&at), result) {
            (Some(error), _) => Err(error),
            (None, Some(result)) => result.map_err(CliError::from),
            (None, None) => Err(XapiError::Interrupted.into()),
        });
        results.collect()
    }

    fn round(
        &self,
        targets: &[Target],
        open: &[usize],
        total: Option<Instant>,
        found: &mut [Option<Result<Collected, XapiError>>],
    ) {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let bar = progress(open.len());
        let work = || {
            while let Some(at) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                let result = self.read(&targets[*at], total);
                bar.inc(1);
                results.lock().unwrap_or_else(PoisonError::into_inner).push((*at, result));
            }
        };
        thread::scope(|scope| {
            for _ in 0..open.len().min(usize::from(self.args.jobs)) {
                scope.spawn(work);
            }
        });
        bar.finish_and_clear();
        for (at, result) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
            found[at] = Some(result);
        }
    }

    /// How long one target may take from now on.
    pub(super) fn limits(&self) -> Limits {
        let timeout = self.args.timeout;
        Limits { connect: CONNECT.min(timeout), call: timeout, until: Some(Instant::now() + timeout) }
    }

    /// The user that a target is entered as; empty for none.
    pub(super) fn user(&self, target: &Target) -> &str {
        self.doors.get(&target.to_string()).map_or("", |door| &door.user)
    }

    /// The password that a target is entered with.
    pub(super) fn password(&self, target: &Target) -> Option<&Password> {
        self.doors.get(&target.to_string()).map(|door| &door.password)
    }

    /// The address of a target; none for the local socket.
    pub(super) fn address(&self, target: &Target) -> Option<&Address> {
        self.doors.get(&target.to_string())?.way.as_ref()
    }

    /// A server at an address, with the operator's trust and nobody logged in.
    pub(super) fn client(&self, address: &Address, limits: Limits) -> Client {
        Client::new(address.clone(), Arc::clone(&self.trust), limits)
    }

    fn read(&self, target: &Target, total: Option<Instant>) -> Result<Collected, XapiError> {
        let mut limits = self.limits();
        limits.until = limits.until.map(|until| total.map_or(until, |total| total.min(until)));
        self.in_session(target, || limits, |session| read_session(session, &target.to_string()), |_| {})
    }

    /// What only asks, in a session of its own. Where the server forgets it midway, all is asked again, once, in a new
    /// one; `forgotten` hears of it.
    pub(super) fn in_session<T>(
        &self,
        target: &Target,
        limits: impl Fn() -> Limits,
        mut ask: impl FnMut(&mut Session) -> Result<T, XapiError>,
        forgotten: impl FnOnce(&XapiError),
    ) -> Result<T, XapiError> {
        let mut once = || ask(&mut self.enter(target, limits())?);
        match once() {
            Err(error) if error.is_forgotten_session() => {
                forgotten(&error);
                once()
            }
            done => done,
        }
    }

    /// Logs in to one of the targets.
    pub(super) fn enter(&self, target: &Target, limits: Limits) -> Result<Session, XapiError> {
        let name = target.to_string();
        let Some(door) = self.doors.get(&name) else {
            let doing = "logging in".to_owned();
            return Err(XapiError::Protocol { place: name, doing, why: "is no live target".to_owned() });
        };
        let client = match &door.way {
            Some(address) => Client::new(address.clone(), Arc::clone(&self.trust), limits),
            None => Client::local(limits),
        };
        client.log_in(&door.user, &door.password)
    }

    /// Asks whether a certificate is the right one, and remembers it. Nobody is asked without a terminal.
    fn ask(&self, place: &Address, found: Fingerprint) -> Result<bool, CliError> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(false);
        }
        complain(&format!(
            "{place}: its certificate is not known yet. SHA-256:\n  {found}\n  {}\nCompare it on the host's console:\n  {CONSOLE}",
            found.plain()
        ));
        let answer = line("Trust it from now on (yes/no)? ").ok().flatten().unwrap_or_default();
        if !answer.trim().eq_ignore_ascii_case("yes") {
            return Ok(false);
        }
        self.trust.confirm(place, found)?;
        Ok(true)
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(count: usize) -> ProgressBar {
    if count < 2 || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(count as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("reading {pos} of {len} targets {wide_bar} {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

fn trust(args: &LiveArgs) -> Result<TrustStore, CliError> {
    let file = args.known_hosts.clone().or_else(default_file);
    let file = file.ok_or_else(|| {
        CliError::Usage("neither HOME nor XDG_CONFIG_HOME is set; give --known-hosts FILE".to_owned())
    });
    // Who names every certificate needs no file.
    let explicit = !args.tls_fingerprint.is_empty() || args.ca_file.is_some();
    let file = match file {
        Err(_) if explicit => PathBuf::from("/dev/null"),
        file => file?,
    };
    let mut trust = TrustStore::new(KnownHosts::read(file)?);
    for text in &args.tls_fingerprint {
        let (address, fingerprint) = match text.rsplit_once('=') {
            Some((address, fingerprint)) => {
                let address = address.strip_prefix("https://").unwrap_or(address);
                (Some(address.parse().map_err(usage)?), fingerprint)
            }
            None => (None, text.as_str()),
        };
        let fingerprint = fingerprint.parse();
        trust.pin(address, fingerprint.map_err(|error| CliError::Usage(format!("--tls-fingerprint: {error}")))?);
    }
    if let Some(file) = &args.ca_file {
        trust.add_authorities(file)?;
    }
    Ok(trust)
}

/// A pin for a target's host at another port pins nothing of this run, although whoever gave it counts on it.
fn refuse_pins_beside(trust: &TrustStore, logins: &[Login]) -> Result<(), CliError> {
    for pinned in trust.pinned() {
        let mut near = logins.iter().map(|login| &login.address).filter(|address| address.host() == pinned.host());
        // Pins of other servers at one address, as behind tunnels, are no slip where the target has its own.
        let has_own = |address: &Address| trust.pinned().any(|pinned| pinned == address);
        if let Some(address) = near.clone().find(|address| !has_own(address))
            && near.all(|address| address != pinned)
        {
            return Err(CliError::Usage(format!(
                "--tls-fingerprint {pinned}=…: no target of this run is at that port, but {address} is; a pin counts for one port"
            )));
        }
    }
    Ok(())
}

fn default_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("poolgate/known_hosts"))
}

fn usage(error: impl ToString) -> CliError {
    CliError::Usage(error.to_string())
}
